using OrleansLog.Protocol;

namespace OrleansLog.Storage;

public sealed partial class PartitionLog
{
    /// <summary>
    /// The offset below which <see cref="LogOptions.FlushMessages"/> is satisfied: what a leader may count as held by
    /// this replica. Any thread.
    /// </summary>
    public Offset SettledOffset
    {
        get
        {
            var end = LogEndOffset;
            var unflushedMax = Options.FlushMessages - 1;
            var flushed = FlushedOffset;
            return end - flushed <= unflushedMax ? end : flushed + unflushedMax;
        }
    }

    /// <summary>
    /// Completes when <see cref="SettledOffset"/> has reached <paramref name="upTo"/>, flushing if the policy asks for
    /// it. To be called after every append (or several), even if nobody waits for the result. Any thread.
    /// </summary>
    /// <exception cref="StorageException">The flush failed; see <see cref="FlushAsync"/>.</exception>
    public ValueTask SettleAsync(Offset upTo) => upTo <= SettledOffset ? ValueTask.CompletedTask : FlushAsync(upTo);

    /// <summary>
    /// Completes when everything below <paramref name="upTo"/> survives a power failure. All who wait share flushes: at
    /// most one runs, and the next one takes everybody who came meanwhile. Any thread.
    /// </summary>
    /// <exception cref="StorageException">A flush failed, now or before: the log takes no more appends.</exception>
    public ValueTask FlushAsync(Offset upTo)
    {
        if (upTo <= FlushedOffset) return ValueTask.CompletedTask;
        return FlushSegmentsAsync();
    }

    private async ValueTask FlushSegmentsAsync()
    {
        var end = LogEndOffset;
        try
        {
            foreach (var segment in _segments) await segment.Log.FlushAsync();
        }
        catch (IOException e)
        {
            _failure = new StorageException($"Flushing {_directory} failed: {e.Message}", e);
            throw _failure;
        }

        Volatile.Write(ref _flushedOffset, end.Value);
    }
}
