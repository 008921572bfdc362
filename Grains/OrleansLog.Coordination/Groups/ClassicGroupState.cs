namespace OrleansLog.Coordination.Groups;

/// <summary>Where a classic group stands between two generations. The names are Kafka's, as clients see them.</summary>
internal enum ClassicGroupState
{
    /// <summary>No members. Offsets may be committed from outside.</summary>
    Empty,

    /// <summary>Gathers its members for the next generation.</summary>
    PreparingRebalance,

    /// <summary>Has its members; waits for the leader's assignment.</summary>
    CompletingRebalance,

    /// <summary>Every member has its assignment.</summary>
    Stable,

    /// <summary>There is no such group.</summary>
    Dead,
}
