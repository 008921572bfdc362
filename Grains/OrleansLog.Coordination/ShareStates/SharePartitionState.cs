using System.Collections.Immutable;
using OrleansLog.Coordination.SharePartitions;

namespace OrleansLog.Coordination.ShareStates;

/// <summary>All that is durable of a share-partition (KIP-932). Immutable: a record makes a new state of it.</summary>
internal sealed record SharePartitionState
{
    /// <summary>Counts the snapshots.</summary>
    public int SnapshotEpoch { get; init; }

    /// <summary>The updates since the snapshot.</summary>
    public int Updates { get; init; }

    /// <summary>Counts how often the state was begun anew.</summary>
    public int StateEpoch { get; init; }

    /// <summary>The highest leadership that has read or written the state.</summary>
    public int LeaderEpoch { get; init; } = -1;

    /// <summary>The last write of that leadership; 0 before the first.</summary>
    public long WriteNumber { get; init; }

    /// <summary>Where delivery begins; -1 while that is left to the leader.</summary>
    public long StartOffset { get; init; } = -1;

    /// <summary>How many offsets from there on are dealt with; -1 where that is not known.</summary>
    public int CompleteCount { get; init; } = -1;

    public long CreatedMs { get; init; }

    /// <summary>The states from the start offset on, in the order of their offsets; what is not there was never delivered.</summary>
    public ImmutableArray<ShareStateRange> Ranges { get; init; } = [];

    /// <summary>The state after an update.</summary>
    public SharePartitionState With(ShareStateUpdate update)
    {
        var start = update.StartOffset < 0 ? StartOffset : update.StartOffset;
        return this with
        {
            Updates = Updates + 1,
            LeaderEpoch = update.LeaderEpoch,
            WriteNumber = update.WriteNumber,
            StartOffset = start,
            CompleteCount = update.CompleteCount,
            Ranges = ShareStateRanges.Overlay(Ranges, update.Ranges, start),
        };
    }
}

/// <summary>What a leader changes.</summary>
internal readonly record struct ShareStateUpdate(
    int LeaderEpoch, long WriteNumber, long StartOffset, int CompleteCount, IReadOnlyList<ShareStateRange> Ranges);

/// <summary>Ranges of stored states: in the order of their offsets, none over another, neighbours that are alike made one.</summary>
internal static class ShareStateRanges
{
    /// <summary>Lays ranges over others, and drops what lies before an offset.</summary>
    public static ImmutableArray<ShareStateRange> Overlay(IReadOnlyList<ShareStateRange> former, IReadOnlyList<ShareStateRange> over, long start)
    {
        var result = ImmutableArray.CreateBuilder<ShareStateRange>(former.Count + over.Count);
        var next = 0;
        foreach (var range in former)
        {
            var left = range;
            while (next < over.Count && over[next].Last < left.First)
                Add(result, over[next++], start);
            while (next < over.Count && over[next].First <= left.Last)
            {
                if (over[next].First > left.First)
                    Add(result, left with { Last = over[next].First - 1 }, start);
                left = left with { First = over[next].Last + 1 };
                if (left.First > left.Last)
                    break;
                Add(result, over[next++], start);
            }
            if (left.First <= left.Last)
                Add(result, left, start);
        }
        for (; next < over.Count; next++)
            Add(result, over[next], start);
        return result.DrainToImmutable();
    }

    /// <summary>Whether ranges can be stored: in order, of states that are stored, and not too far from the start.</summary>
    public static bool AreValid(IReadOnlyList<ShareStateRange> ranges, long start, int maxOffsets)
    {
        var after = long.MinValue;
        foreach (var range in ranges)
        {
            if (range.First < 0 || range.First < after || range.Last < range.First || range.Last == long.MaxValue)
                return false;
            if (range.DeliveryCount < 0 || range.State is not (DeliveryState.Available or DeliveryState.Acknowledged or DeliveryState.Archived))
                return false;
            if (range.Last - Math.Max(start, 0) >= maxOffsets)
                return false;
            after = range.Last + 1;
        }
        return true;
    }

    private static void Add(ImmutableArray<ShareStateRange>.Builder ranges, ShareStateRange next, long start)
    {
        if (next.Last < start)
            return;
        next = next with { First = Math.Max(next.First, start) };
        if (ranges.Count > 0 && ranges[^1] is var last && last.Last == next.First - 1 && (last.State, last.DeliveryCount) == (next.State, next.DeliveryCount))
            ranges[^1] = last with { Last = next.Last };
        else
            ranges.Add(next);
    }
}
