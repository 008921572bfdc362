using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Runtime;

/// <summary>
/// Drives one shard over its partition, from its election to its resignation: loads it, runs handlers one turn at a
/// time, appends what they decide, and answers when that is committed. Everything that came in while an append was
/// under way is decided in the next turn and shares one append.
/// <para>
/// An append that was refused is rolled back, as if its requests had never been decided. When it is not known whether
/// an append will be committed, the shard is thrown away and loaded again.
/// </para>
/// Callable from any thread. A turn starts on the thread of the caller that found the shard idle; the lock guards the
/// queue only and is never held while a handler runs. Modelled on Kafka's CoordinatorRuntime.
/// </summary>
internal sealed partial class ShardRuntime<TShard> : IAsyncDisposable where TShard : class, ICoordinatorShard
{
    private enum Phase { Loading, Active, Failed, Closed }

    private enum Step { Rest, Load, Decide, Unload }

    private readonly Lock _gate = new();
    private readonly Queue<ShardEvent<TShard>> _queue = [];
    private readonly ShardPorts<TShard> _ports;
    private readonly TaskCompletionSource _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _unloaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _closing = new();
    private Phase _phase = Phase.Loading;
    private bool _turning;
    private bool _mustLoad;
    private bool _timerDue;

    public ShardRuntime(ShardPorts<TShard> ports)
    {
        _ports = ports;
        _startTimestamp = ports.Time.GetTimestamp();
        _timer = ports.Time.CreateTimer(_ => TimerFired(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// Loads the partition. Faults with what the reader throws; requests are refused from then on, as by any broker
    /// that is not the coordinator.
    /// </summary>
    public Task LoadAsync()
    {
        RequireLoad();
        return _loaded.Task;
    }

    /// <summary>
    /// Has the handler decide when its turn comes, and answers when what it decided is committed. Whatever prevents
    /// that is answered through <paramref name="refusal"/>.
    /// </summary>
    public Task<T> RunAsync<T>(
        Func<TShard, PendingReply<T>, long, CoordinatorResult<T>> handler, Func<ErrorCode, T> refusal) where T : class
    {
        var reply = new PendingReply<T>(refusal);
        var error = Enqueue(new ShardRequest<TShard, T>(handler, reply));
        if (error != ErrorCode.None)
            reply.Refuse(error);
        return reply.Task;
    }

    /// <summary>Stops: whoever waits is told that this is not the coordinator. Completes when the last turn has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        bool idle;
        lock (_gate)
        {
            idle = !_turning;
            _turning = true;
            _phase = Phase.Closed;
        }
        _closing.Cancel();
        if (idle)
            await TakeTurnsAsync();
        await _unloaded.Task;
        _closing.Dispose();
    }

    private ErrorCode Enqueue(ShardEvent<TShard> item)
    {
        lock (_gate)
        {
            var error = Refusal();
            if (error != ErrorCode.None)
                return error;
            _queue.Enqueue(item);
            if (_turning)
                return ErrorCode.None;
            _turning = true;
        }
        _ = TakeTurnsAsync();
        return ErrorCode.None;
    }

    private ErrorCode Refusal() => _phase switch
    {
        Phase.Loading => ErrorCode.CoordinatorLoadInProgress,
        Phase.Active when _queue.Count >= _ports.Limits.MaxQueuedRequests => ErrorCode.CoordinatorNotAvailable,
        Phase.Active => ErrorCode.None,
        _ => ErrorCode.NotCoordinator,
    };

    private void TimerFired()
    {
        lock (_gate)
        {
            _timerDue = true;
            if (_turning)
                return;
            _turning = true;
        }
        _ = TakeTurnsAsync();
    }

    private void RequireLoad()
    {
        lock (_gate)
        {
            if (_phase == Phase.Closed)
                return;
            _mustLoad = true;
            _phase = Phase.Loading;
            if (_turning)
                return;
            _turning = true;
        }
        _ = TakeTurnsAsync();
    }

    /// <summary>What the turn does next, and with which requests. Where there is nothing, the turn ends.</summary>
    private Step NextStep(List<ShardEvent<TShard>> work)
    {
        lock (_gate)
        {
            work.Clear();
            var step = ChooseStep();
            var limit = step == Step.Decide ? _ports.Limits.MaxRequestsPerTurn : int.MaxValue;
            while (step != Step.Rest && work.Count < limit && _queue.TryDequeue(out var item))
                work.Add(item);
            _turning = step != Step.Rest;
            return step;
        }
    }

    private Step ChooseStep() => _phase switch
    {
        Phase.Closed => _unloaded.Task.IsCompleted ? Step.Rest : Step.Unload,
        _ when _mustLoad => Step.Load,
        Phase.Active when _timerDue || _queue.Count > 0 => Step.Decide,
        _ => Step.Rest,
    };
}
