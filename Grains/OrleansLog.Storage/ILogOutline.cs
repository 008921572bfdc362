using OrleansLog.Protocol;

namespace OrleansLog.Storage;

/// <summary>
/// What a log consists of, without its bytes: enough to compare two logs. All of it is in memory; any thread.
/// </summary>
public interface ILogOutline
{
    /// <summary>The first offset that can be read.</summary>
    Offset LogStartOffset { get; }

    /// <summary>The offset of the next record.</summary>
    Offset LogEndOffset { get; }

    /// <summary>The epoch of the record at an offset; none for an offset that is not in the log.</summary>
    LeaderEpoch EpochAt(Offset offset);

    /// <summary>The largest epoch not above the asked one, and the offset after its last record (KIP-101, KIP-279).</summary>
    EpochEndOffset EndOffsetFor(LeaderEpoch epoch);

    /// <summary>The epoch of the last record; none in a log without any.</summary>
    LeaderEpoch LatestEpoch { get; }
}
