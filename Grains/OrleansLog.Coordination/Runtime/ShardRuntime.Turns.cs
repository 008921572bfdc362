using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Runtime;

/// <content>What happens within a turn.</content>
internal sealed partial class ShardRuntime<TShard>
{
    private readonly TimerQueue _timers = new();
    private readonly ITimer _timer;
    private readonly long _startTimestamp;
    private TShard? _shard;
    private int _loads;
    private long? _armedForMs;
    private Task<ErrorCode> _lastCommit = Task.FromResult(ErrorCode.None);

    private long NowMs => _ports.Time.GetUtcNow().ToUnixTimeMilliseconds();

    private long MonotonicMs => (long)_ports.Time.GetElapsedTime(_startTimestamp).TotalMilliseconds;

    private async Task TakeTurnsAsync()
    {
        var work = new List<ShardEvent<TShard>>();
        for (var step = NextStep(work); step != Step.Rest; step = NextStep(work))
        {
            try
            {
                await CarryOutAsync(step, work);
            }
            catch (Exception failure)
            {
                _ports.Logger.LogCritical(failure, "{Partition}: a turn broke off, which is a fault of the coordinator; loading again.", _ports.Name);
                RefuseAll(work, ErrorCode.UnknownServerError);
                RequireLoad();
            }
            // The caller whose thread started the turn wants to go on; whatever came in meanwhile is not its business.
            if (HasMore())
                await Task.Yield();
        }
    }

    private bool HasMore()
    {
        lock (_gate)
            return _queue.Count > 0;
    }

    private Task CarryOutAsync(Step step, List<ShardEvent<TShard>> work)
    {
        switch (step)
        {
            case Step.Load:
                RefuseAll(work, ErrorCode.CoordinatorLoadInProgress);
                return LoadShardAsync();
            case Step.Unload:
                RefuseAll(work, ErrorCode.NotCoordinator);
                _unloaded.TrySetResult();
                _loaded.TrySetCanceled();
                _timer.Dispose();
                Unload(ErrorCode.NotCoordinator);
                return Task.CompletedTask;
            default:
                return DecideAsync(work);
        }
    }

    private async Task LoadShardAsync()
    {
        try
        {
            Unload(ErrorCode.CoordinatorLoadInProgress);
            lock (_gate)
                _mustLoad = false;
            var shard = await ReadShardAsync();
            _shard = shard;
            _loads++;
            _lastCommit = Task.FromResult(ErrorCode.None);
            Enter(Phase.Active);
            await AppendAsync(Decide(shard.Loaded));
            _loaded.TrySetResult();
        }
        catch (Exception failure)
        {
            if (!_closing.IsCancellationRequested)
                _ports.Logger.LogError(failure, "{Partition} could not be loaded; its groups have no coordinator until it is elected again.", _ports.Name);
            Enter(Phase.Failed);
            _loaded.TrySetException(failure);
        }
    }

    private async Task<TShard> ReadShardAsync()
    {
        var shard = _ports.NewShard();
        await foreach (var batch in _ports.Reader.ReadAsync(_closing.Token))
        {
            for (var i = 0; i < batch.Records.Count; i++)
            {
                if (batch.Transaction is { } transaction)
                    shard.LoadTransactional(transaction, batch.Records[i]);
                else
                    shard.Load(batch.BaseOffset + i, batch.Records[i]);
            }
        }
        shard.Accept();
        return shard;
    }

    private void Enter(Phase phase)
    {
        lock (_gate)
        {
            if (_phase != Phase.Closed)
                _phase = phase;
        }
    }

    private void Unload(ErrorCode error)
    {
        _timers.Clear();
        if (_shard is not null)
            SettleNow(_shard.Unload(error, NowMs));
        _shard = null;
    }

    private Task DecideAsync(List<ShardEvent<TShard>> work)
    {
        var turn = new ShardTurn(_shard!, _ports.Writer.MaxBatchBytes);
        try
        {
            foreach (var item in work)
                Decide(turn, item);
            foreach (var key in DueTimers())
                Decide(turn, new ShardTimerDue<TShard>(key));
        }
        catch
        {
            foreach (var batch in turn.Batches)
                RefuseAll(batch.Settlements, ErrorCode.UnknownServerError);
            throw;
        }
        return AppendAsync(turn);
    }

    private ShardTurn Decide(Func<long, CoordinatorResult> handler)
    {
        var turn = new ShardTurn(_shard!, _ports.Writer.MaxBatchBytes);
        Place(turn, handler(NowMs));
        return turn;
    }

    private void Decide(ShardTurn turn, ShardEvent<TShard> item)
    {
        CoordinatorResult result;
        try
        {
            result = item.Decide(_shard!, NowMs);
        }
        catch (Exception failure)
        {
            // Handlers do not touch durable state: the others in this turn are none the worse.
            _ports.Logger.LogError(failure, "{Partition}: a request was refused because handling it failed.", _ports.Name);
            item.Refuse(ErrorCode.UnknownServerError);
            return;
        }
        Place(turn, result);
    }

    private void Place(ShardTurn turn, CoordinatorResult result)
    {
        var mark = _shard!.Mark;
        SetTimers(result);
        var error = turn.Place(result);
        if (error == ErrorCode.None)
            return;
        RollBack(mark, error);
        RefuseAll(result.Settlements, error);
    }

    private async Task AppendAsync(ShardTurn turn)
    {
        var batches = turn.Batches;
        for (var i = 0; i < batches.Count; i++)
        {
            var error = await AppendAsync(batches[i]);
            if (error == ErrorCode.None)
                continue;
            // What refuses a transaction is its producer's affair; others only have to come again.
            var isOwn = batches[i].Transaction is null;
            RollBack(batches[i].Mark, isOwn ? error : ErrorCode.CoordinatorNotAvailable);
            RefuseAll(batches[i].Settlements, error);
            for (i++; i < batches.Count; i++)
                RefuseAll(batches[i].Settlements, isOwn ? error : ErrorCode.CoordinatorNotAvailable);
        }
        _shard!.Accept();
        ArmTimer();
    }

    private async ValueTask<ErrorCode> AppendAsync(PendingBatch batch)
    {
        if (batch.Records.Count > 0)
        {
            var append = await TryAppendAsync(batch.Records, batch.Transaction);
            if (append.Error != ErrorCode.None)
                return append.Error;
            _lastCommit = append.Committed;
        }
        SettleWhenCommitted(batch.Settlements, _lastCommit);
        return ErrorCode.None;
    }

    private async ValueTask<PartitionAppend> TryAppendAsync(List<CoordinatorRecord> records, TransactionWrite? transaction)
    {
        try
        {
            return await _ports.Writer.AppendAsync(records, transaction);
        }
        catch (Exception failure)
        {
            _ports.Logger.LogError(failure, "{Partition}: an append of {Count} records failed.", _ports.Name, records.Count);
            return PartitionAppend.Refused(ErrorCode.KafkaStorageError);
        }
    }

    private void RollBack(int mark, ErrorCode error)
    {
        var result = _shard!.RollBack(mark, error, NowMs);
        SetTimers(result);
        SettleNow(result);
    }

    private static void RefuseAll(List<ShardEvent<TShard>> work, ErrorCode error)
    {
        foreach (var item in work)
            item.Refuse(error);
    }

    private static void RefuseAll(IReadOnlyList<Settlement> settlements, ErrorCode error)
    {
        foreach (var settlement in settlements)
            settlement.Reply.Refuse(error);
    }
}
