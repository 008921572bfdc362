using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.SharePartitions;

/// <summary>What a record of a share-partition is at (KIP-932). The numbers are Kafka's, as they lie in records.</summary>
public enum DeliveryState : sbyte
{
    /// <summary>It can be acquired.</summary>
    Available = 0,

    /// <summary>It is a member's for a while. Never stored: a new leader delivers it again.</summary>
    Acquired = 1,

    /// <summary>It was handled.</summary>
    Acknowledged = 2,

    /// <summary>It is not delivered any more: rejected, delivered too often, or no record at all.</summary>
    Archived = 4,
}

/// <summary>The stored state of a range of offsets, both ends in it.</summary>
public readonly record struct ShareStateRange(long First, long Last, DeliveryState State, short DeliveryCount);

/// <summary>Records that a member has acquired, both ends in the range.</summary>
/// <param name="First">The first offset.</param>
/// <param name="Last">The last offset.</param>
/// <param name="DeliveryCount">How often they have been delivered, this time included.</param>
public readonly record struct AcquiredRange(Offset First, Offset Last, short DeliveryCount);

/// <summary>A batch that was read, both ends in it.</summary>
/// <param name="First">The first offset.</param>
/// <param name="Last">The last offset.</param>
/// <param name="IsDelivered">Whether its records are for members; not those of aborted transactions, nor markers.</param>
public readonly record struct ReadBatch(Offset First, Offset Last, bool IsDelivered);

/// <summary>How much a member wants.</summary>
/// <param name="RecordsMax">The most records.</param>
/// <param name="IsStrict">Whether that holds within a batch too (KIP-1206).</param>
public readonly record struct AcquireLimit(int RecordsMax, bool IsStrict = false);

/// <summary>What a member says about a range of offsets, both ends in it.</summary>
/// <param name="First">The first offset.</param>
/// <param name="Last">The last offset.</param>
/// <param name="Types">One for all, or one for each.</param>
public readonly record struct Acknowledgement(long First, long Last, IReadOnlyList<ShareAcknowledgeType> Types)
{
    public ShareAcknowledgeType TypeOf(long offset) => Types.Count == 1 ? Types[0] : Types[(int)(offset - First)];
}

/// <summary>What is to be stored of a share-partition.</summary>
/// <param name="StartOffset">Where delivery begins from now on.</param>
/// <param name="CompleteCount">How many offsets from there on are dealt with.</param>
/// <param name="Ranges">The states that have changed, in the order of their offsets.</param>
public sealed record ShareStateChange(long StartOffset, int CompleteCount, IReadOnlyList<ShareStateRange> Ranges);
