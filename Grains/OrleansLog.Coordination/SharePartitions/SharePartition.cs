using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.SharePartitions;

/// <summary>
/// A share-partition at the leader of its partition, for one leadership (KIP-932): which member has which records, and how
/// long. What a member says is answered when the share coordinator has stored it; what is said meanwhile shares the next
/// write. When the coordinator says that another leads, or that the state is another, this one
/// <see cref="IsOver">is over</see>, and its owner makes a new one. Any thread.
/// </summary>
public sealed class SharePartition : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SharePartitionKey _key;
    private readonly LeaderEpoch _epoch;
    private readonly SharePartitionPorts _ports;
    private readonly InFlightRecords _records;
    private readonly ITimer _timer;
    private readonly long _started;
    private readonly CancellationTokenSource _closing = new();
    private List<TaskCompletionSource<ErrorCode>> _waiting = [];
    private Task<ErrorCode>? _opening;
    private int _stateEpoch;
    private bool _isStoring;
    private bool _isOver;

    public SharePartition(SharePartitionKey key, LeaderEpoch epoch, ShareSettings settings, SharePartitionPorts ports)
    {
        (_key, _epoch, _ports) = (key, epoch, ports);
        _records = new(settings);
        _started = ports.Time.GetTimestamp();
        _timer = ports.Time.CreateTimer(_ => Expire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public SharePartitionKey Key => _key;

    /// <summary>The leadership that it belongs to.</summary>
    public LeaderEpoch Epoch => _epoch;

    /// <summary>Whether it serves no more.</summary>
    public bool IsOver => Volatile.Read(ref _isOver);

    /// <summary>How the group is served. What is locked already stays so as long as it was said.</summary>
    public ShareSettings Settings
    {
        get => _records.Settings;
        set
        {
            lock (_gate)
                _records.Settings = value;
        }
    }

    /// <summary>Reads what is stored, the first time that it is called. Nothing else may be called before that has succeeded.</summary>
    public Task<ErrorCode> OpenAsync()
    {
        lock (_gate)
            return _opening ??= OpenOnceAsync();
    }

    /// <summary>Where to read for a member; null while nothing can be acquired.</summary>
    /// <param name="logStart">Where the log begins by now.</param>
    public Offset? NextOffset(Offset logStart)
    {
        lock (_gate)
        {
            _records.ForgetBefore(logStart);
            Store();
            return _records.HasRoom && !_isOver ? _records.NextOffset() : null;
        }
    }

    /// <inheritdoc cref="InFlightRecords.Acquire"/>
    public List<AcquiredRange> Acquire(string member, ReadOnlySpan<ReadBatch> batches, AcquireLimit limit)
    {
        lock (_gate)
        {
            if (_isOver)
                return [];
            var acquired = _records.Acquire(member, batches, limit, NowMs);
            Store();
            ArmTimer();
            return acquired;
        }
    }

    /// <summary>Takes what a member says about records that it has acquired, and answers when that is stored.</summary>
    public Task<ErrorCode> AcknowledgeAsync(string member, IReadOnlyList<Acknowledgement> acknowledgements)
    {
        lock (_gate)
        {
            if (_isOver)
                return Task.FromResult(ErrorCode.NotLeaderOrFollower);
            var error = _records.Acknowledge(member, acknowledgements, NowMs);
            if (error != ErrorCode.None || !_records.HasChange)
                return Task.FromResult(error);
            var stored = new TaskCompletionSource<ErrorCode>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add(stored);
            Store();
            return stored.Task;
        }
    }

    /// <summary>Takes back what a member has, because it is gone.</summary>
    public void Release(string member)
    {
        bool released;
        lock (_gate)
        {
            released = !_isOver && Frees(() => _records.ReleaseAll(member));
            Store();
        }
        if (released)
            _ports.Available();
    }

    /// <summary>Serves no more if nobody has anything of it, and all of it is stored. True when it is over.</summary>
    public bool TryEndIdle()
    {
        lock (_gate)
        {
            if (_isOver)
                return true;
            if (_isStoring || _records.HasChange || _opening is not { IsCompleted: true } || _records.HasAcquired)
                return false;
        }
        Dispose();
        return true;
    }

    /// <summary>Serves no more: the leadership has ended, or nobody needs it.</summary>
    public void Dispose() => End(ErrorCode.NotLeaderOrFollower);

    // Locks last as long as they were said to, whatever happens to the time of day.
    private long NowMs => (long)_ports.Time.GetElapsedTime(_started).TotalMilliseconds;

    /// <summary>Whether a change lets members acquire what they could not before: records, or room for more.</summary>
    private bool Frees(Func<bool> change)
    {
        var wasFull = !_records.HasRoom;
        return change() || (wasFull && _records.HasRoom);
    }

    private async Task<ErrorCode> OpenOnceAsync()
    {
        try
        {
            var stored = await ShareRetries.UntilAnsweredAsync(
                () => _ports.States.ReadAsync(_key, _epoch, _closing.Token), answer => answer.Error, error => new(error), _ports, _closing.Token);
            if (stored.Error != ErrorCode.None)
                return End(stored.Error);
            return await BeginAsync(stored);
        }
        catch (Exception failed) when (failed is OperationCanceledException or IOException)
        {
            return End(ErrorCode.NotLeaderOrFollower);
        }
    }

    // Where to begin is stored before anything is delivered: another leader would choose another place.
    private async Task<ErrorCode> BeginAsync(StoredShareState stored)
    {
        _stateEpoch = stored.StateEpoch;
        var start = stored.StartOffset;
        if (start < 0)
        {
            start = (await _ports.FindStartAsync(Settings.AutoOffsetReset)).Value;
            if (await WriteAsync(new ShareStateChange(start, 0, [])) is var error && error != ErrorCode.None)
                return End(error);
        }
        lock (_gate)
            _records.Load(start, stored.Ranges ?? []);
        return ErrorCode.None;
    }

    private void Expire()
    {
        bool released;
        lock (_gate)
        {
            if (_isOver)
                return;
            released = Frees(() => _records.Expire(NowMs));
            Store();
            ArmTimer();
        }
        if (released)
            _ports.Available();
    }

    private void ArmTimer()
    {
        if (_records.NextExpiryMs != long.MaxValue && !_isOver)
            _timer.Change(TimeSpan.FromMilliseconds(Math.Max(1, _records.NextExpiryMs - NowMs)), Timeout.InfiniteTimeSpan);
    }

    private void Store()
    {
        if (_isStoring || _isOver || !_records.HasChange)
            return;
        _isStoring = true;
        _ = StoreAllAsync();
    }

    private async Task StoreAllAsync()
    {
        // Not within the lock of whoever caused it.
        await Task.Yield();
        while (TakeChange() is var (change, waiting))
        {
            var error = await WriteAsync(change);
            var released = Settle(error);
            foreach (var answer in waiting)
                answer.TrySetResult(ShareRetries.IsOver(error) ? ErrorCode.NotLeaderOrFollower : error);
            if (released)
                _ports.Available();
            if (ShareRetries.IsOver(error))
                End(error);
            else if (error != ErrorCode.None)
                await PauseAsync();
        }
    }

    private async Task PauseAsync()
    {
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(_ports.RetryDelayMs), _ports.Time, _closing.Token);
        }
        catch (OperationCanceledException)
        {
            // It is over, which shows next.
        }
    }

    private (ShareStateChange Change, List<TaskCompletionSource<ErrorCode>> Waiting)? TakeChange()
    {
        lock (_gate)
        {
            if (_isOver || _records.TakeChange() is not { } change)
            {
                _isStoring = false;
                return null;
            }
            var waiting = _waiting;
            _waiting = [];
            return (change, waiting);
        }
    }

    private bool Settle(ErrorCode error)
    {
        lock (_gate)
        {
            if (error == ErrorCode.None)
                return Frees(_records.Stored);
            _records.NotStored();
            ArmTimer();
            return false;
        }
    }

    private async Task<ErrorCode> WriteAsync(ShareStateChange change)
    {
        var write = new ShareStateWrite(_stateEpoch, _epoch, _ports.NextWriteNumber(), change);
        try
        {
            return await ShareRetries.UntilAnsweredAsync(
                () => _ports.States.WriteAsync(_key, write, _closing.Token), error => error, error => error, _ports, _closing.Token);
        }
        catch (OperationCanceledException)
        {
            return ErrorCode.NotLeaderOrFollower;
        }
    }

    private ErrorCode End(ErrorCode error)
    {
        List<TaskCompletionSource<ErrorCode>> waiting;
        lock (_gate)
        {
            if (_isOver)
                return error;
            _isOver = true;
            waiting = _waiting;
            _waiting = [];
        }
        _closing.Cancel();
        _timer.Dispose();
        _ports.Logger.LogDebug("{SharePartition} is over in epoch {Epoch}: {Error}", _key, _epoch, error);
        foreach (var answer in waiting)
            answer.TrySetResult(ErrorCode.NotLeaderOrFollower);
        _ports.Available();
        return error;
    }
}
