namespace OrleansLog.Client;

/// <summary>What the leader of a partition has done when it answers a produce request.</summary>
public enum Acks : short
{
    /// <summary>No answer at all: fastest, and a record may be lost unseen. Its offset is never known.</summary>
    None = 0,

    /// <summary>The leader alone has stored the records.</summary>
    Leader = 1,

    /// <summary>Every in-sync replica has stored the records: what is acknowledged this way survives.</summary>
    All = -1,
}
