namespace OrleansLog.Coordination.Runtime;

/// <summary>What a timer is for.</summary>
public enum TimerKind
{
    /// <summary>A member must be heard of.</summary>
    Session,

    /// <summary>A group's members must have joined.</summary>
    Join,

    /// <summary>A group's members must have fetched their assignments.</summary>
    Sync,

    /// <summary>A member must have given partitions up.</summary>
    Revocation,

    /// <summary>A group that has gone back to the classic protocol must rebalance.</summary>
    Downgraded,

    /// <summary>Expired state is looked for.</summary>
    Expiry,

    /// <summary>A transaction must have ended.</summary>
    Transaction,
}

/// <summary>Names one timer of a shard: at most one runs under each key.</summary>
public readonly record struct TimerKey(TimerKind Kind, string Group = "", string Member = "");

/// <summary>
/// Sets the timer <paramref name="Key"/>, replacing an earlier one unless <paramref name="IfUnset"/>, or cancels it where
/// the delay is null.
/// </summary>
public readonly record struct TimerCommand(TimerKey Key, long? DelayMs, bool IfUnset = false);
