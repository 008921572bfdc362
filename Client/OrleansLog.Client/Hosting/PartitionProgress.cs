using OrleansLog.Protocol;

namespace OrleansLog.Client.Hosting;

/// <summary>
/// What of one partition has been read and is not done: records are done in any order, and committed is only what has
/// nothing undone before it. From one assignment of the partition to its end. Any thread.
/// </summary>
internal sealed class PartitionProgress(TopicPartition partition) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Queue<long> _begun = new();
    private readonly HashSet<long> _done = [];
    private readonly CancellationTokenSource _gone = new();
    private TaskCompletionSource? _idle;
    private long _next = -1;
    private long _committed = -1;
    private int _running;

    public TopicPartition Partition => partition;

    /// <summary>Cancelled when others may be reading the partition.</summary>
    public CancellationToken Gone => _gone.Token;

    /// <summary>A record was read: nothing behind it is committed before it is done.</summary>
    public void Begin(Offset offset)
    {
        lock (_gate) _begun.Enqueue(offset.Value);
    }

    /// <summary>A record's turn has come. Answers false when the partition is given up, and the record not to be handled here.</summary>
    public bool TryRun()
    {
        lock (_gate)
        {
            if (_idle is not null || _gone.IsCancellationRequested) return false;
            _running++;
            return true;
        }
    }

    /// <summary>A record's turn is over, and with <paramref name="isDone"/> it is handled.</summary>
    public void End(Offset offset, bool isDone)
    {
        lock (_gate)
        {
            if (isDone) _done.Add(offset.Value);
            while (_begun.TryPeek(out var first) && _done.Remove(first)) _next = _begun.Dequeue() + 1;
            if (--_running == 0) _idle?.TrySetResult();
        }
    }

    /// <summary>What is to be committed, if it is more than what is.</summary>
    public TopicPartitionOffset? Uncommitted()
    {
        lock (_gate) return _next > _committed ? new TopicPartitionOffset(partition, new Offset(_next)) : null;
    }

    public void NoteCommitted(Offset offset)
    {
        lock (_gate) _committed = Math.Max(_committed, offset.Value);
    }

    /// <summary>No further record begins; completes when those in hand have ended.</summary>
    public Task StopAsync()
    {
        lock (_gate)
        {
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_running == 0) _idle.TrySetResult();
            return _idle.Task;
        }
    }

    /// <summary>Has the records in hand end soon.</summary>
    public void Cancel() => _gone.Cancel();

    public void Dispose() => _gone.Dispose();
}
