using Microsoft.Extensions.Logging;
using OrleansLog.Client.Metadata;
using OrleansLog.Client.Transport;
using OrleansLog.Client.Waiting;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Consuming;

/// <summary>Commits the positions of one consumer: when told to, and at intervals.</summary>
internal sealed class OffsetCommitter(Cluster cluster, ConsumerOptions options, Subscription subscription, Func<IMembership?> membership) : IDisposable
{
    private const int StaleTriesMax = 5;

    // Not the lane of the group's own requests, where a join may wait for minutes.
    private readonly GroupCoordinator _coordinator = new(cluster, options.GroupId!, Lane.Control);
    private readonly Dictionary<TopicPartition, long> _committed = [];
    private readonly AsyncTurn _turn = new();
    private ITimer? _interval;

    public void StartInterval()
    {
        if (options.Commit != CommitMode.AutoAtLeastOnce || _interval is not null) return;
        var period = TimeSpan.FromMilliseconds(options.AutoCommitIntervalMs);
        _interval = cluster.Time.CreateTimer(static state => _ = ((OffsetCommitter)state!).CommitQuietlyAsync(default), this, period, period);
    }

    public void Dispose() => _interval?.Dispose();

    public async Task<IReadOnlyList<TopicPartitionOffset>> FetchAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken) =>
        await GroupOffsets.FetchAsync(_coordinator, partitions, cancellationToken, options.IsolationLevel == IsolationLevel.ReadCommitted);

    /// <summary>Commits what has changed since the last commit.</summary>
    public async Task CommitAsync(Func<PartitionState, long> position, CancellationToken cancellationToken)
    {
        await _turn.EnterAsync(cancellationToken);
        try
        {
            var changed = subscription.States().Where(state => position(state) >= 0 && _committed.GetValueOrDefault(state.Partition, -1) != position(state))
                .Select(state => new TopicPartitionOffset(state.Partition, new Offset(position(state))) { LeaderEpoch = state.LastEpoch }).ToList();
            await SendAsync(changed, cancellationToken);
            Note(changed);
        }
        finally
        {
            _turn.Leave();
        }
    }

    public async Task CommitAsync(IReadOnlyCollection<TopicPartitionOffset> positions, CancellationToken cancellationToken)
    {
        await SendAsync(positions, cancellationToken);
        await _turn.EnterAsync(cancellationToken);
        Note(positions);
        _turn.Leave();
    }

    /// <summary>Commits what the application has finished with; a failure is logged, and the next commit makes up for it.</summary>
    public async Task CommitQuietlyAsync(CancellationToken cancellationToken)
    {
        try
        {
            await CommitAsync(state => state.Processed, cancellationToken);
        }
        catch (Exception e) when (e is OrleansLogException or ObjectDisposedException)
        {
            cluster.Logger.LogWarning("{Problem}", e.Message);
        }
    }

    /// <summary>A commit that crossed a heartbeat names an epoch that has just passed: it is sent again in the new one.</summary>
    private async Task SendAsync(IReadOnlyCollection<TopicPartitionOffset> positions, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            var member = membership()?.Holder ?? GroupMember.None;
            try
            {
                await GroupOffsets.CommitAsync(_coordinator, member, positions, cancellationToken);
                return;
            }
            catch (OrleansLogException e) when (e.ErrorCode == ErrorCode.StaleMemberEpoch && tries < StaleTriesMax)
            {
                if (membership() is not { } present || !await present.CatchUpAsync(member, cancellationToken)) throw;
            }
            catch (OrleansLogException e) when (e.ErrorCode is ErrorCode.UnknownMemberId or ErrorCode.FencedMemberEpoch)
            {
                membership()?.Hear(member, e.ErrorCode);
                throw;
            }
        }
    }

    private void Note(IReadOnlyCollection<TopicPartitionOffset> positions)
    {
        foreach (var position in positions) _committed[position.Partition] = position.Offset.Value;
    }
}
