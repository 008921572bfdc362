using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;

namespace OrleansLog.Storage;

public sealed partial class PartitionLog
{
    private FlushRound? _running;
    private FlushRound? _next;
    private ITimer? _flushTimer;
    private bool _flushTimerIsSet;
    private bool _directoryIsDirty;
    private bool _directoryIsNew;

    /// <summary>
    /// The offset below which <see cref="LogOptions.FlushMessages"/> is satisfied: what a leader may count as held by
    /// this replica.
    /// </summary>
    public Offset SettledOffset
    {
        get
        {
            var end = LogEndOffset;
            var flushed = FlushedOffset;
            var unflushedMax = Options.FlushMessages - 1;
            return end - flushed <= unflushedMax ? end : flushed + unflushedMax;
        }
    }

    /// <summary>
    /// Completes when <see cref="SettledOffset"/> has reached <paramref name="upTo"/>, flushing if the policy asks for
    /// it. To be called after every append (or several), even if nobody waits for the result.
    /// </summary>
    /// <exception cref="StorageException">The flush failed; see <see cref="FlushAsync"/>.</exception>
    public ValueTask SettleAsync(Offset upTo) => upTo <= SettledOffset ? ValueTask.CompletedTask : FlushAsync(upTo);

    /// <summary>
    /// Completes when everything below <paramref name="upTo"/> survives a power failure (or was truncated meanwhile).
    /// All who wait share flushes: at most one runs, and the next one takes everybody who came since.
    /// </summary>
    /// <exception cref="StorageException">
    /// A flush failed, now or before. The log takes no more appends, for nobody knows which bytes reached the disk.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The log does not reach that far.</exception>
    public ValueTask FlushAsync(Offset upTo)
    {
        if (upTo <= FlushedOffset) return ValueTask.CompletedTask;
        FlushRound round;
        bool isFirst;
        lock (_gate)
        {
            ThrowIfFailed();
            ArgumentOutOfRangeException.ThrowIfGreaterThan(upTo, LogEndOffset);
            if (_running is not null && upTo <= _running.UpTo) return new ValueTask(_running.Done.Task);
            round = _next ??= new FlushRound();
            isFirst = _running is null;
            if (isFirst) StartNext();
        }

        if (isFirst) _ = RunAsync(round);
        return new ValueTask(round.Done.Task);
    }

    private async Task RunAsync(FlushRound? round)
    {
        try
        {
            for (; round is not null; round = Complete(round)) await FlushSegmentsAsync(round.UpTo);
        }
        catch (Exception e)
        {
            FailFlush(e);
        }
    }

    private void FailFlush(Exception e)
    {
        if (Failure is null) _logger.LogError(e, "Flushing {Directory} failed; it takes no more appends", Directory);
        Fail(new StorageException($"Flushing {Directory} failed: {e.Message}. Restart the broker to recover what reached the disk", e));
    }

    private async ValueTask FlushSegmentsAsync(Offset upTo)
    {
        var flushed = FlushedOffset;
        foreach (var segment in Volatile.Read(ref _segments))
            if (segment.NextOffset > flushed && segment.BaseOffset < upTo) await segment.Log.FlushAsync();
        if (!Interlocked.Exchange(ref _directoryIsDirty, false)) return;
        await _files.FlushDirectoryAsync(Directory);
        await FlushParentOnceAsync();
    }

    private async ValueTask FlushParentOnceAsync()
    {
        if (!_directoryIsNew) return;
        await _files.FlushDirectoryAsync(ParentDirectory);
        _directoryIsNew = false;
    }

    private string ParentDirectory => Path.GetDirectoryName(Directory) ?? Directory;

    private FlushRound? Complete(FlushRound round)
    {
        FlushRound? next;
        lock (_gate)
        {
            if (round.UpTo > FlushedOffset) Volatile.Write(ref _flushedOffset, round.UpTo.Value);
            _running = null;
            if (_next is not null) StartNext();
            next = _running;
        }

        round.Done.TrySetResult();
        return next;
    }

    private void StartNext()
    {
        _running = _next;
        _next = null;
        _running!.UpTo = LogEndOffset;
    }

    private void Fail(StorageException failure)
    {
        FlushRound? running, next;
        lock (_gate)
        {
            _failure ??= failure;
            (running, next) = (_running, _next);
            _running = _next = null;
        }

        running?.Fail(failure);
        next?.Fail(failure);
    }

    // flush.ms: no timer unless a topic asks for one and records wait.
    private void FlushLater()
    {
        var flushMs = Options.FlushMs;
        if (flushMs == long.MaxValue || Interlocked.Exchange(ref _flushTimerIsSet, true)) return;
        _flushTimer ??= _time.CreateTimer(
            static log => _ = ((PartitionLog)log!).FlushNowAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _flushTimer.Change(TimeSpan.FromMilliseconds(flushMs), Timeout.InfiniteTimeSpan);
    }

    private async Task FlushNowAsync()
    {
        Interlocked.Exchange(ref _flushTimerIsSet, false);
        try
        {
            await FlushAsync(LogEndOffset);
        }
        catch (Exception e) when (e is StorageException or ArgumentOutOfRangeException)
        {
            // A failure was logged where it happened, and the next append meets it; a truncation needs no flush.
        }
    }

    /// <summary>One flush and those who wait for it. <see cref="UpTo"/> is set when it starts.</summary>
    private sealed class FlushRound
    {
        public Offset UpTo { get; set; }

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Fail(StorageException failure)
        {
            Done.TrySetException(failure);
            // A round that nobody awaits has told the log already.
            _ = Done.Task.Exception;
        }
    }
}
