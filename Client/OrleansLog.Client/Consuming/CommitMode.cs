namespace OrleansLog.Client;

/// <summary>Who commits the positions of a group's consumer, and when.</summary>
public enum CommitMode
{
    /// <summary>Nobody but the application, by calling <c>CommitAsync</c>.</summary>
    Manual,

    /// <summary>
    /// At least once: the client commits at intervals, on a rebalance and on disposal, and only what the application
    /// has finished with, which it shows by asking for the next record or batch. After a crash some come again.
    /// </summary>
    AutoAtLeastOnce,

    /// <summary>
    /// At most once: the client commits what was fetched before it hands it out. After a crash none comes again, and
    /// what was in hand is skipped.
    /// </summary>
    AutoAtMostOnce,
}

/// <summary>Where to begin without a usable position.</summary>
public enum OffsetReset
{
    /// <summary>At the end: only what is written from now on.</summary>
    Latest,

    /// <summary>At the oldest record that is still there.</summary>
    Earliest,

    /// <summary>Nowhere: reading fails with <see cref="Protocol.ErrorCode.OffsetOutOfRange"/>, and the application decides.</summary>
    None,
}
