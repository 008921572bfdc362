using System.Collections.Concurrent;

namespace OrleansLog.Broker.Files;

/// <summary>Work that blocks its thread until the disk has answered.</summary>
internal interface IDiskWork
{
    void Run();
}

/// <summary>
/// A few threads that do nothing but wait for the disk, so that it never holds up the pool that serves requests. They start
/// with the first work.
/// </summary>
/// <param name="count">How many.</param>
/// <param name="name">What they are called.</param>
internal class DiskThreads(int count, string name) : IDisposable
{
    private readonly BlockingCollection<(IDiskWork Work, TaskCompletionSource Done)> _queue = [];
    private int _started;

    public ValueTask Run(IDiskWork work)
    {
        if (Interlocked.Exchange(ref _started, 1) == 0) Start();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add((work, done));
        return new ValueTask(done.Task);
    }

    public void Dispose() => _queue.CompleteAdding();

    protected virtual void Perform(IDiskWork work) => work.Run();

    private void Start()
    {
        for (var i = 0; i < count; i++)
            new Thread(Serve) { IsBackground = true, Name = $"{name} {i}" }.Start();
    }

    private void Serve()
    {
        foreach (var (work, done) in _queue.GetConsumingEnumerable()) Complete(work, done);
    }

    private void Complete(IDiskWork work, TaskCompletionSource done)
    {
        try
        {
            Perform(work);
            done.SetResult();
        }
        catch (Exception e)
        {
            done.SetException(e);
        }
    }
}
