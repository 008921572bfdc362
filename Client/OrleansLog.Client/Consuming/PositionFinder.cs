using OrleansLog.Client.Metadata;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Consuming;

/// <summary>Decides where partitions begin that have no position: where the group left off, else where the options say.</summary>
internal sealed class PositionFinder(Cluster cluster, ConsumerOptions options, Subscription subscription, OffsetCommitter? committer)
{
    /// <summary>Finds all positions that are missing. Runs on the reader's turn.</summary>
    /// <returns>Whether there were any.</returns>
    public async ValueTask<bool> FindAsync(CancellationToken cancellationToken)
    {
        var lost = subscription.States().Where(state => !state.HasPosition).ToList();
        if (lost.Count == 0) return false;
        await StartAtCommittedAsync(lost.Where(state => state.NeedsCommitted).ToList(), cancellationToken);
        await StartAtResetAsync(lost.Where(state => state.Reset is not null).ToList(), cancellationToken);
        return true;
    }

    private async Task StartAtCommittedAsync(List<PartitionState> states, CancellationToken cancellationToken)
    {
        if (states.Count == 0) return;
        Dictionary<TopicPartition, TopicPartitionOffset> committed = [];
        if (committer is not null)
        {
            var found = await committer.FetchAsync(states.ConvertAll(state => state.Partition), cancellationToken);
            committed = found.ToDictionary(position => position.Partition);
        }
        lock (subscription.Gate)
        {
            foreach (var state in states.Where(state => state.NeedsCommitted))
            {
                if (committed.TryGetValue(state.Partition, out var position)) state.StartAt(position.Offset, position.LeaderEpoch);
                else state.StartAt(ResetOf(state));
            }
        }
    }

    private OffsetSpec ResetOf(PartitionState state) => options.OffsetReset switch
    {
        OffsetReset.Earliest => OffsetSpec.Earliest,
        OffsetReset.Latest => OffsetSpec.Latest,
        _ => throw new OrleansLogException(ErrorCode.OffsetOutOfRange,
            $"{state.Partition} has no committed offset in group '{options.GroupId}'. Seek to where reading should begin, or choose an OffsetReset other than None."),
    };

    private async Task StartAtResetAsync(List<PartitionState> states, CancellationToken cancellationToken)
    {
        if (states.Count == 0) return;
        var wanted = states.ToDictionary(state => state.Partition, state => state.Reset!.Value);
        var found = await OffsetLookup.FindAsync(cluster, wanted, cancellationToken, options.IsolationLevel);
        lock (subscription.Gate)
        {
            foreach (var state in states.Where(state => state.Reset == wanted[state.Partition]))
            {
                var listed = found[state.Partition];
                if (listed.Error != ErrorCode.None) throw FetchErrors.Explain(state.Partition, -1, listed.Error);
                state.StartAt(listed.Offset, LeaderEpoch.None);
            }
        }
    }
}
