using OrleansLog.Broker.Partitions;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Protocol;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Shares;

/// <summary>
/// A partition that this broker leads, as one share group sees it: what is in its log, and who has which records of it. Any
/// thread.
/// </summary>
public sealed class SharedPartition
{
    /// <summary>How often a member looks further where it found nothing for it: markers, or records that others took just then.</summary>
    private const int LooksMax = 1_000;

    private readonly FetchWaits _waits = new();

    internal SharedPartition(Partition partition, Func<Action, SharePartition> begin)
    {
        Partition = partition;
        State = begin(_waits.WakeAll);
    }

    public Partition Partition { get; }

    /// <summary>Who has which records.</summary>
    public SharePartition State { get; }

    /// <summary>Whether it is that of the present leadership.</summary>
    public bool IsCurrent => !State.IsOver && Partition.IsLeader && Partition.LeaderEpoch == State.Epoch;

    /// <summary>Has a member acquire records, as many as there are of those it wants.</summary>
    /// <param name="member">Who it is.</param>
    /// <param name="bytesMax">Whole batches up to this many bytes; the first comes whole in any case.</param>
    /// <param name="limit">How many records.</param>
    public SharedRead Acquire(string member, int bytesMax, AcquireLimit limit)
    {
        for (var looks = 0; looks < LooksMax; looks++)
        {
            if (!IsCurrent)
                return SharedRead.Refuse(ErrorCode.NotLeaderOrFollower);
            if (Partition.LogStartOffset is not { } logStart || State.NextOffset(logStart) is not { } from)
                return SharedRead.Nothing;
            var read = Partition.Read(from, bytesMax, minOneBatch: true, State.Epoch, mayFollow: false, State.Settings.ReadCommitted);
            if (read.Error == ErrorCode.OffsetOutOfRange || (read.Error == ErrorCode.None && read.Log.Slice.IsEmpty))
                return SharedRead.Nothing;
            if (read.Error != ErrorCode.None)
                return SharedRead.Refuse(read.Error);
            if (Acquire(member, from, read.Log.Slice, limit) is { } found)
                return found;
        }
        return SharedRead.Nothing;
    }

    /// <summary>Registers a long poll; look for news once more after this, then wait.</summary>
    public void Add(FetchWait wait)
    {
        Partition.Add(wait);
        _waits.Add(wait);
    }

    public void Remove(FetchWait wait)
    {
        Partition.Remove(wait);
        _waits.Remove(wait);
    }

    // Null where nothing of it was for this member.
    private SharedRead? Acquire(string member, Offset from, LogSlice slice, AcquireLimit limit)
    {
        try
        {
            var batches = SliceBatches.Read(slice, State.Settings.ReadCommitted ? Partition.AbortedTransactions(from, slice) : []);
            var acquired = State.Acquire(member, batches.All, limit);
            return acquired.Count == 0 ? null : new(ErrorCode.None, batches.Narrow(acquired[0].First, acquired[^1].Last), acquired);
        }
        catch (StorageException failed)
        {
            return SharedRead.Refuse(failed.Error);
        }
    }
}

/// <summary>What a member got.</summary>
/// <param name="Error">Why there is nothing.</param>
/// <param name="Slice">The batches in which the records lie.</param>
/// <param name="Acquired">Which records it has acquired.</param>
public readonly record struct SharedRead(ErrorCode Error, LogSlice Slice, IReadOnlyList<AcquiredRange> Acquired)
{
    /// <summary>There is nothing at the moment.</summary>
    public static SharedRead Nothing => new(ErrorCode.None, default, []);

    public static SharedRead Refuse(ErrorCode error) => new(error, default, []);
}
