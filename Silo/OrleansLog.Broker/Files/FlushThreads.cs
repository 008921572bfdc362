using System.Collections.Concurrent;
using System.Diagnostics;

namespace OrleansLog.Broker.Files;

/// <summary>Work that blocks its thread until the disk has answered.</summary>
internal interface IFlush
{
    void Run();
}

/// <summary>
/// A few threads that do nothing but wait for the disk, so that flushes never hold up the pool that serves requests.
/// They start with the first flush.
/// </summary>
internal sealed class FlushThreads(int count) : IDisposable
{
    public const int DefaultCount = 4;

    private readonly BlockingCollection<(IFlush Flush, TaskCompletionSource Done)> _queue = [];
    private int _started;

    public ValueTask Run(IFlush flush)
    {
        if (Interlocked.Exchange(ref _started, 1) == 0) Start();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add((flush, done));
        return new ValueTask(done.Task);
    }

    public void Dispose() => _queue.CompleteAdding();

    private void Start()
    {
        for (var i = 0; i < count; i++)
            new Thread(Serve) { IsBackground = true, Name = $"log flush {i}" }.Start();
    }

    private void Serve()
    {
        foreach (var (flush, done) in _queue.GetConsumingEnumerable()) Complete(flush, done);
    }

    private static void Complete(IFlush flush, TaskCompletionSource done)
    {
        try
        {
            var startedAt = Stopwatch.GetTimestamp();
            flush.Run();
            StorageMetrics.Flushed(startedAt);
            done.SetResult();
        }
        catch (Exception e)
        {
            StorageMetrics.FlushFailed();
            done.SetException(e);
        }
    }
}
