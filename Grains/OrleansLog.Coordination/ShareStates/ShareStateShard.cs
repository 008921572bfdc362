using Microsoft.Extensions.Logging;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.ShareStates;

/// <summary>
/// The states of the share-partitions in one partition of <c>__share_group_state</c> (KIP-932). A state is written whole now
/// and then, and what changes in between; leaders of earlier epochs, and writes that come late, are refused.
/// </summary>
internal sealed class ShareStateShard(ShareOptions options, ITopicDirectory topics, ILogger logger) : ICoordinatorShard
{
    private static readonly TimerKey Expiry = new(TimerKind.Expiry);

    private readonly Dictionary<SharePartitionKey, SharePartitionState> _states = [];
    private readonly List<(SharePartitionKey Key, SharePartitionState? Former)> _journal = [];
    private HashSet<SharePartitionKey> _missed = [];

    public int Mark => _journal.Count;

    public SharePartitionState? Find(SharePartitionKey key) => _states.GetValueOrDefault(key);

    /// <inheritdoc cref="IShareStates.InitializeAsync"/>
    public CoordinatorResult<ShareOutcome> Initialize(SharePartitionKey key, int stateEpoch, long startOffset, long nowMs)
    {
        var result = new CoordinatorResult<ShareOutcome>(nowMs);
        var former = Find(key);
        if (stateEpoch < 0 || startOffset < -1 || key.Partition < 0)
            return result.With(new(ErrorCode.InvalidRequest));
        if (former?.StateEpoch > stateEpoch)
            return result.With(new(ErrorCode.FencedStateEpoch));
        if (former?.StateEpoch == stateEpoch)
            return result.With(new(ErrorCode.None));
        Snapshot(result, key, new SharePartitionState
        {
            SnapshotEpoch = former?.SnapshotEpoch ?? -1,
            StateEpoch = stateEpoch,
            LeaderEpoch = former?.LeaderEpoch ?? -1,
            WriteNumber = former?.WriteNumber ?? 0,
            StartOffset = startOffset,
            CompleteCount = startOffset < 0 ? -1 : 0,
            CreatedMs = nowMs,
        });
        return result.With(new(ErrorCode.None));
    }

    /// <inheritdoc cref="IShareStates.ReadAsync"/>
    public CoordinatorResult<StoredShareState> Read(SharePartitionKey key, int leaderEpoch, long nowMs)
    {
        var result = new CoordinatorResult<StoredShareState>(nowMs);
        if (Find(key) is not { } state)
            return result.With(new(ErrorCode.InvalidRequest));
        if (leaderEpoch >= 0 && leaderEpoch < state.LeaderEpoch)
            return result.With(new(ErrorCode.FencedLeaderEpoch));
        if (leaderEpoch > state.LeaderEpoch)
            Update(result, key, state, new(leaderEpoch, WriteNumber: 0, StartOffset: -1, state.CompleteCount, []));
        return result.With(new(ErrorCode.None, state.StateEpoch, state.StartOffset, state.Ranges));
    }

    /// <inheritdoc cref="IShareStates.WriteAsync"/>
    public CoordinatorResult<ShareOutcome> Write(SharePartitionKey key, ShareStateWrite write, long nowMs)
    {
        var result = new CoordinatorResult<ShareOutcome>(nowMs);
        var state = Find(key);
        var (epoch, change) = (write.LeaderEpoch.Value, write.Change);
        var error = Refuse(state, write);
        if (error != ErrorCode.None)
            return result.With(new(error));
        var isRepeated = write.Number > 0 && epoch == state!.LeaderEpoch && write.Number == state.WriteNumber;
        if (!isRepeated)
            Update(result, key, state!, new(epoch, write.Number, change.StartOffset, change.CompleteCount, change.Ranges));
        return result.With(new(ErrorCode.None));
    }

    /// <inheritdoc cref="IShareStates.DeleteAsync"/>
    public CoordinatorResult<ShareOutcome> Delete(SharePartitionKey key, long nowMs)
    {
        var result = new CoordinatorResult<ShareOutcome>(nowMs) { IsAtomic = false };
        if (Find(key) is { } state)
            Delete(result, key, state);
        return result.With(new(ErrorCode.None));
    }

    /// <inheritdoc cref="IShareStates.SummarizeAsync"/>
    public CoordinatorResult<ShareStateSummary> Summarize(SharePartitionKey key, long nowMs) =>
        new CoordinatorResult<ShareStateSummary>(nowMs).With(Find(key) is { } state
            ? new(ErrorCode.None, state.StateEpoch, state.LeaderEpoch, state.StartOffset, state.CompleteCount)
            : new(ErrorCode.None));

    public void Replay(StateRecord record)
    {
        var change = (ShareStateRecord)record;
        var former = Find(change.Key);
        _journal.Add((change.Key, former));
        Set(change.Key, change.Apply(former));
    }

    public void Load(Offset offset, in CoordinatorRecord record)
    {
        if (ShareStateRecord.Read(record) is { } change)
            Set(change.Key, change.Apply(Find(change.Key)));
    }

    public void Accept() => _journal.Clear();

    public CoordinatorResult RollBack(int mark, ErrorCode error, long nowMs)
    {
        for (var i = _journal.Count - 1; i >= mark; i--)
            Set(_journal[i].Key, _journal[i].Former);
        _journal.RemoveRange(mark, _journal.Count - mark);
        return new CoordinatorResult(nowMs);
    }

    public CoordinatorResult Loaded(long nowMs)
    {
        var result = new CoordinatorResult(nowMs);
        result.SetTimer(Expiry, options.ExpirationCheckIntervalMs);
        return result;
    }

    /// <summary>
    /// Deletes the states of topics that are gone. A topic that is not known here may be so new that this broker has not heard
    /// of it: only what is missed a second time goes.
    /// </summary>
    public CoordinatorResult TimerDue(TimerKey key, long nowMs)
    {
        var result = new CoordinatorResult(nowMs) { IsAtomic = false };
        var missing = _states.Keys.Where(each => topics.NameOf(each.TopicId) is null).ToHashSet();
        foreach (var gone in missing.Where(_missed.Contains))
        {
            logger.LogInformation("The state of {SharePartition} is deleted: its topic is gone.", gone);
            Delete(result, gone, _states[gone]);
        }
        _missed = missing;
        result.SetTimer(Expiry, options.ExpirationCheckIntervalMs);
        return result;
    }

    public CoordinatorResult Unload(ErrorCode error, long nowMs) => new(nowMs);

    private ErrorCode Refuse(SharePartitionState? state, ShareStateWrite write)
    {
        var change = write.Change;
        if (state is null)
            return ErrorCode.InvalidRequest;
        if (write.LeaderEpoch.Value < state.LeaderEpoch)
            return ErrorCode.FencedLeaderEpoch;
        if (write.StateEpoch != state.StateEpoch)
            return ErrorCode.FencedStateEpoch;
        if (write.Number > 0 && write.LeaderEpoch.Value == state.LeaderEpoch && write.Number < state.WriteNumber)
            return ErrorCode.FencedLeaderEpoch;
        var start = change.StartOffset < 0 ? state.StartOffset : change.StartOffset;
        return ShareStateRanges.AreValid(change.Ranges, start, options.MaxOffsets) ? ErrorCode.None : ErrorCode.InvalidRequest;
    }

    private void Update(CoordinatorResult result, SharePartitionKey key, SharePartitionState state, ShareStateUpdate update)
    {
        if (state.Updates >= options.UpdatesPerSnapshot)
            Snapshot(result, key, state.With(update));
        else
            result.Append(new ShareUpdateRecord(key, state.Updates, state.SnapshotEpoch, update));
    }

    private static void Snapshot(CoordinatorResult result, SharePartitionKey key, SharePartitionState state) =>
        result.Append(new ShareSnapshotRecord(key, state with { SnapshotEpoch = state.SnapshotEpoch + 1, Updates = 0 }, result.NowMs));

    // Updates of earlier snapshots may lie in places that those since the last have not come to.
    private void Delete(CoordinatorResult result, SharePartitionKey key, SharePartitionState state)
    {
        var places = state.SnapshotEpoch > 0 ? Math.Max(state.Updates, options.UpdatesPerSnapshot) : state.Updates;
        for (var place = 0; place < places; place++)
            result.Append(new ShareUpdateRecord(key, place, -1, null));
        result.Append(new ShareSnapshotRecord(key, null, result.NowMs));
    }

    private void Set(SharePartitionKey key, SharePartitionState? state)
    {
        if (state is null)
            _states.Remove(key);
        else
            _states[key] = state;
    }
}

/// <summary>What became of a request for one share-partition.</summary>
internal sealed record ShareOutcome(ErrorCode Error);
