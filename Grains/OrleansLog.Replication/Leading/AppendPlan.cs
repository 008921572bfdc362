using OrleansLog.Protocol;

namespace OrleansLog.Replication.Leading;

/// <summary>The next append to a follower, still without its bytes.</summary>
/// <param name="Sequence">Its number among the appends to this follower.</param>
/// <param name="From">Where it begins.</param>
/// <param name="PreviousEpoch">The epoch of the record before.</param>
/// <param name="LogStart">Where the leader's log starts.</param>
/// <param name="LogEnd">Where it ends.</param>
/// <param name="BytesMax">How many bytes of records to read; 0 for none.</param>
/// <param name="HighWatermark">What it carries.</param>
/// <param name="IsCatchUp">Whether the follower is far behind: such reads may come from the disk and are throttled.</param>
public readonly record struct AppendPlan(
    long Sequence, Offset From, LeaderEpoch PreviousEpoch, Offset LogStart, Offset LogEnd, int BytesMax, Offset HighWatermark, bool IsCatchUp);
