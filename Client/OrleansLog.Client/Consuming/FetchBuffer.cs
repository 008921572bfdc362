namespace OrleansLog.Client.Consuming;

/// <summary>What was fetched and not read yet, in order of arrival. Any thread adds, one takes.</summary>
internal sealed class FetchBuffer(ReaderSignal signal)
{
    private readonly Queue<FetchedBatch> _batches = new();
    private OrleansLogException? _failure;
    private long _bytes;
    private bool _isInterrupted;

    /// <summary>The bytes that wait, and those that the reader has in hand.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Whether the reader should look up from its batch: there is something to do besides reading.</summary>
    public bool IsInterrupted => Volatile.Read(ref _isInterrupted);

    public void Add(FetchedBatch batch)
    {
        Interlocked.Add(ref _bytes, batch.SizeInBytes);
        lock (_batches) _batches.Enqueue(batch);
        signal.Set();
    }

    public FetchedBatch? Take()
    {
        lock (_batches) return _batches.TryDequeue(out var batch) ? batch : null;
    }

    /// <summary>A batch is read, or dropped.</summary>
    public void Release(FetchedBatch batch) => Interlocked.Add(ref _bytes, -batch.SizeInBytes);

    public void Interrupt()
    {
        Volatile.Write(ref _isInterrupted, true);
        signal.Set();
    }

    /// <summary>Makes the reader fail, once.</summary>
    public void Fail(OrleansLogException failure)
    {
        Interlocked.CompareExchange(ref _failure, failure, null);
        Interrupt();
    }

    /// <summary>Ends an interruption; the reader then looks for what caused it.</summary>
    public void TakeInterruption()
    {
        Volatile.Write(ref _isInterrupted, false);
        if (Interlocked.Exchange(ref _failure, null) is { } failure) throw failure;
    }
}
