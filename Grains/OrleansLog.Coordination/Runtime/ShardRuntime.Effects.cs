using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Runtime;

/// <content>Answers that wait for commits, and timers.</content>
internal sealed partial class ShardRuntime<TShard>
{
    private void SettleWhenCommitted(List<Settlement> settlements, Task<ErrorCode> commit)
    {
        SettleUncommitted(settlements);
        if (commit.IsCompletedSuccessfully && commit.Result == ErrorCode.None)
            SettleNow(settlements);
        else
            _ = SettleAfterAsync(settlements, commit, _loads);
    }

    private static void SettleUncommitted(List<Settlement> settlements)
    {
        if (!settlements.Exists(settlement => !settlement.AwaitsCommit))
            return;
        foreach (var settlement in settlements.Where(settlement => !settlement.AwaitsCommit))
            settlement.CarryOut();
        settlements.RemoveAll(settlement => !settlement.AwaitsCommit);
    }

    private async Task SettleAfterAsync(List<Settlement> settlements, Task<ErrorCode> commit, int load)
    {
        var error = await OutcomeAsync(commit);
        if (error == ErrorCode.None)
        {
            SettleNow(settlements);
            return;
        }
        // Whether the log holds those records is not known: only reading it again tells.
        if (load == Volatile.Read(ref _loads))
            RequireLoad();
        RefuseAll(settlements, error);
    }

    private async Task<ErrorCode> OutcomeAsync(Task<ErrorCode> commit)
    {
        try
        {
            return await commit;
        }
        catch (Exception failure)
        {
            _ports.Logger.LogError(failure, "{Partition}: records were written but not committed; loading again.", _ports.Name);
            return ErrorCode.KafkaStorageError;
        }
    }

    private static void SettleNow(CoordinatorResult result) => SettleNow(result.Settlements);

    private static void SettleNow(IReadOnlyList<Settlement> settlements)
    {
        foreach (var settlement in settlements)
            settlement.CarryOut();
    }

    private void SetTimers(CoordinatorResult result)
    {
        var now = MonotonicMs;
        foreach (var command in result.Timers)
            _timers.Apply(command, now);
    }

    /// <summary>The timers that are due, one by one: what is decided for one may set or cancel the next.</summary>
    private IEnumerable<TimerKey> DueTimers()
    {
        lock (_gate)
        {
            if (_timerDue)
                _armedForMs = null;
            _timerDue = false;
        }
        var now = MonotonicMs;
        while (_timers.TryTakeDue(now, out var key))
            yield return key;
    }

    /// <summary>
    /// Makes the one clock timer fire when the first of the shard's is due. One that fires too early does no harm;
    /// it is not set anew for every heartbeat.
    /// </summary>
    private void ArmTimer()
    {
        var next = _timers.NextDeadlineMs();
        var now = MonotonicMs;
        if (next is null || (_armedForMs > now && _armedForMs <= next))
            return;
        _armedForMs = next;
        _timer.Change(TimeSpan.FromMilliseconds(Math.Max(1, next.Value - now)), Timeout.InfiniteTimeSpan);
    }
}
