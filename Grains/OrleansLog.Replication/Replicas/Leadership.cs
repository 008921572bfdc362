using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Replication.Leading;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Replicas;

/// <summary>
/// Drives one <see cref="LeaderState"/>: appends, flushes, pushes to the followers, writes the register, answers who
/// waits. It ends once and for all with <see cref="End"/>. Its turn is a lock that is held for decisions and for a write
/// into the page cache, never across a wait. Any thread.
/// </summary>
internal sealed class Leadership : IDisposable
{
    private static readonly Task<ErrorCode> Committed = Task.FromResult(ErrorCode.None);

    private readonly Lock _gate = new();
    private readonly PartitionReplica _replica;
    private readonly PartitionLog _log;
    private readonly ReplicaPorts _ports;
    private readonly LeaderState _state;
    private readonly CommitQueue _commits;
    private readonly Dictionary<FollowerProgress, FollowerLink> _links = [];
    private readonly CancellationTokenSource _ending = new();
    private readonly Func<long, LeaderEffects> _noteDurable;
    private readonly ITimer _timer;
    private Task _registerWork = Task.CompletedTask;
    private long _timerMs = long.MaxValue;
    private bool _isSettling;
    private bool _hasEnded;

    public Leadership(PartitionReplica replica, PartitionLog log, VersionedPartition current, Offset highWatermark, ReplicaPorts ports)
    {
        _replica = replica;
        _log = log;
        _ports = ports;
        _state = ports.NewLeader(
            ports.Self.Id, current, log, highWatermark, replica.Options, ports.Cluster.IsAlive, NowMs);
        _commits = new CommitQueue(replica.Options.WaitingAppendsMax);
        _noteDurable = nowMs => _state.LocallyDurable(_log.SettledOffset, nowMs);
        _timer = ports.Time.CreateTimer(static self => ((Leadership)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public LeaderEpoch Epoch => _state.Epoch;

    public PartitionReplica Replica => _replica;

    public PartitionLog Log => _log;

    public LeaderState State => _state;

    public ReplicaPorts Ports => _ports;

    public CancellationToken Ending => _ending.Token;

    /// <summary>Makes known what the log held before, and meets the followers.</summary>
    public void Begin()
    {
        On(_noteDurable);
        StartSettling();
    }

    /// <summary>As <see cref="PartitionReplica.Append"/>.</summary>
    public ReplicaAppend Append(Memory<byte> batches, bool awaitsCommit, int commitTimeoutMs, TransactionCheck transaction)
    {
        AppendResult appended;
        LeaderEffects effects;
        Task<ErrorCode>? committed;
        lock (_gate)
        {
            if (_hasEnded) return ReplicaAppend.Refused(ErrorCode.NotLeaderOrFollower);
            if (awaitsCommit && !_state.HasEnoughReplicas) return ReplicaAppend.Refused(ErrorCode.NotEnoughReplicas);
            if (!_commits.HasRoom) return ReplicaAppend.Refused(ErrorCode.ThrottlingQuotaExceeded);
            var previousEnd = _log.LogEndOffset;
            appended = _log.Append(batches, _state.Epoch, transaction);
            if (appended.Error != ErrorCode.None) return ReplicaAppend.Refused(appended.Error);
            var nowMs = NowMs;
            if (!appended.IsDuplicate) _state.Appended(previousEnd, nowMs);
            effects = _state.LocallyDurable(_log.SettledOffset, nowMs);
            if (effects.HasCommitted) _commits.CommitTo(_state.HighWatermark);
            committed = _state.HighWatermark >= appended.NextOffset ? Committed
                : awaitsCommit ? _commits.WaitAsync(appended.NextOffset, nowMs + commitTimeoutMs)
                : null;
        }

        if (!appended.IsDuplicate) _ports.Observer.Appended(_replica, appended.BaseOffset, appended.NextOffset);
        // The flush first: while it runs the followers get theirs.
        StartSettling();
        CarryOut(effects);
        return new(ErrorCode.None, _state.Epoch, appended, committed ?? OwnAppendAsync(appended.NextOffset));
    }

    /// <summary>The replica's options were replaced.</summary>
    public LeaderEffects Reconfigured(long nowMs)
    {
        _state.Options = _replica.Options;
        return _state.Tick(nowMs);
    }

    /// <summary>Answers those who have waited for a commit longer than they asked for.</summary>
    public void ExpireWaits()
    {
        lock (_gate) _commits.Expire(NowMs);
    }

    /// <summary>Handles an event in turn and carries its effects out; nothing happens once the leadership has ended.</summary>
    public void On(Func<long, LeaderEffects> handle)
    {
        LeaderEffects effects;
        lock (_gate)
        {
            if (_hasEnded) return;
            effects = handle(NowMs);
            if (effects.HasCommitted) _commits.CommitTo(_state.HighWatermark);
        }

        CarryOut(effects);
    }

    /// <summary>Takes a decision in turn; the default once the leadership has ended.</summary>
    public T? Ask<T>(Func<long, T?> decide)
    {
        lock (_gate) return _hasEnded ? default : decide(NowMs);
    }

    /// <summary>No more appends and pushes; who waits is told so.</summary>
    public void End(ErrorCode reason = ErrorCode.NotLeaderOrFollower)
    {
        lock (_gate)
        {
            if (_hasEnded) return;
            _hasEnded = true;
            _commits.Fail(reason);
        }

        _timer.Dispose();
        _ending.Cancel();
    }

    public void Dispose() => End();

    private long NowMs => _replica.NowMs;

    private void CarryOut(LeaderEffects effects)
    {
        if (effects.MustStepDown)
        {
            _replica.StepDown(this);
            return;
        }

        if (effects.HasCommitted) _replica.OnCommitted(_state.HighWatermark);
        if (effects.MustReload) EnqueueRegisterWork(ReloadAsync);
        if (effects.Proposal is { } proposal) EnqueueRegisterWork(() => ProposeAsync(proposal, effects.Replaces));
        Pump();
    }

    // One after another: an answer that is late must not pass for news.
    private void EnqueueRegisterWork(Func<Task> work)
    {
        lock (_gate) _registerWork = RunAfterAsync(_registerWork, work);
    }

    private static async Task RunAfterAsync(Task previous, Func<Task> work)
    {
        await previous;
        try
        {
            await work();
        }
        catch (OperationCanceledException)
        {
            // The leadership ended: whether a write took effect is for the next one to see.
        }
    }

    private void Pump()
    {
        var followers = _state.Followers;
        if (followers.IsEmpty) return;
        foreach (var follower in followers) LinkTo(follower).Wake();
        lock (_gate) ArmTimer();
    }

    private FollowerLink LinkTo(FollowerProgress follower)
    {
        lock (_gate)
        {
            if (!_links.TryGetValue(follower, out var link)) _links.Add(follower, link = new FollowerLink(this, follower));
            return link;
        }
    }

    // An idle partition has no timer at all.
    private void ArmTimer()
    {
        if (_hasEnded) return;
        var now = NowMs;
        var due = _state.NextDeadlineMs(now) is { } deadline ? Math.Max(deadline, now + 1) : long.MaxValue;
        if (due == _timerMs) return;
        _timerMs = due;
        _timer.Change(due == long.MaxValue ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(due - now), Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        lock (_gate) _timerMs = long.MaxValue;
        On(_state.Tick);
    }

    private async Task ProposeAsync(PartitionRecord proposal, RegisterVersion expected)
    {
        var change = await _ports.Register.ChangeAsync(_replica.Id, proposal, expected, Ending);
        if (change.IsAccepted) _ports.Logger.LogInformation("{Partition}: {Record}", _replica.Id, change.Current!.Record);
        On(nowMs => _state.ProposalEnded(change, nowMs));
    }

    private async Task ReloadAsync()
    {
        var current = await _ports.Register.ReadAsync(_replica.Id, Ending);
        On(nowMs => _state.Reloaded(current, nowMs));
    }

    private async Task<ErrorCode> OwnAppendAsync(Offset end)
    {
        try
        {
            await _log.SettleAsync(end);
            return Ask(_ => (object)this) is null ? ErrorCode.NotLeaderOrFollower : ErrorCode.None;
        }
        catch (StorageException)
        {
            return ErrorCode.KafkaStorageError;
        }
    }

    private void StartSettling()
    {
        lock (_gate)
        {
            if (_isSettling || _hasEnded || _state.LocalDurable >= _log.LogEndOffset) return;
            _isSettling = true;
        }

        _ = SettleAsync();
    }

    // What is appended during one flush shares the next.
    private async Task SettleAsync()
    {
        try
        {
            while (TakeUnsettled() is { } end)
            {
                await _log.SettleAsync(end);
                On(_noteDurable);
            }
        }
        catch (IOException failed)
        {
            _replica.OnDiskFailed(failed);
        }
    }

    private Offset? TakeUnsettled()
    {
        lock (_gate)
        {
            // Not what the log has settled: somebody else's flush may have done that, and then it must still be noted.
            var end = _log.LogEndOffset;
            _isSettling = !_hasEnded && end > _state.LocalDurable;
            return _isSettling ? end : null;
        }
    }
}
