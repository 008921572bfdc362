using System.Diagnostics;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>
/// The part of a group's member: commits what was written out, once a second, when partitions go and at the end, and
/// knows from where it reads what it is given.
/// </summary>
internal sealed class GroupReading(Consumer consumer, EndOfReading? end, bool fromBeginning, OffsetRanges ranges) : IRebalanceListener
{
    /// <summary>How long what was written out may stay uncommitted while the command runs.</summary>
    public static readonly TimeSpan CommitInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<TopicPartition, Offset> _uncommitted = [];
    private long _committedAt = Stopwatch.GetTimestamp();

    public bool HasUncommitted
    {
        get { lock (_gate) return _uncommitted.Count > 0; }
    }

    /// <summary>Everything before this offset was written out.</summary>
    public ValueTask HandledAsync(TopicPartition partition, Offset next, CancellationToken cancellationToken)
    {
        lock (_gate) _uncommitted[partition] = next;
        return Stopwatch.GetElapsedTime(_committedAt) < CommitInterval ? default : CommitAsync(cancellationToken);
    }

    /// <summary>Commits what was written out. While the group is rebalancing it stays for the next time.</summary>
    public async ValueTask CommitAsync(CancellationToken cancellationToken)
    {
        var positions = TakeUncommitted();
        if (positions.Length == 0) return;
        try
        {
            await consumer.CommitAsync(positions, cancellationToken);
            _committedAt = Stopwatch.GetTimestamp();
        }
        catch (Exception e)
        {
            PutBack(positions);
            if (!IsRebalance(e)) throw;
        }
    }

    public async ValueTask OnAssignedAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        if (end is null) return;
        var committed = (await consumer.CommittedAsync(partitions, cancellationToken)).ToDictionary(c => c.Partition, c => c.Offset);
        end.Begin(partitions.ToDictionary(p => p, p => committed.TryGetValue(p, out var offset) ? offset : FirstOf(p)));
    }

    public ValueTask OnRevokedAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        end?.Abandon(partitions);
        return CommitAsync(cancellationToken);
    }

    public ValueTask OnLostAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        end?.Abandon(partitions);
        lock (_gate)
            foreach (var partition in partitions) _uncommitted.Remove(partition);
        return default;
    }

    private static bool IsRebalance(Exception e) => e is OrleansLogException
    {
        ErrorCode: ErrorCode.RebalanceInProgress or ErrorCode.IllegalGeneration or ErrorCode.UnknownMemberId
            or ErrorCode.StaleMemberEpoch or ErrorCode.FencedMemberEpoch
    };

    private TopicPartitionOffset[] TakeUncommitted()
    {
        lock (_gate)
        {
            TopicPartitionOffset[] positions = [.. _uncommitted.Select(u => new TopicPartitionOffset(u.Key, u.Value))];
            _uncommitted.Clear();
            return positions;
        }
    }

    private void PutBack(TopicPartitionOffset[] positions)
    {
        lock (_gate)
            foreach (var position in positions) _uncommitted.TryAdd(position.Partition, position.Offset);
    }

    private Offset FirstOf(TopicPartition partition)
    {
        var (first, last) = ranges.Of(partition);
        return fromBeginning ? first : last;
    }
}
