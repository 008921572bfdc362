namespace OrleansLog.Simulation.Running;

/// <summary>
/// Time and order of a run: one queue of everything that is going to happen, on one thread. Time stands still while
/// something happens and jumps to whatever comes next. Work that is ready at once comes in a seeded order.
/// </summary>
public sealed class SimScheduler
{
    private readonly PriorityQueue<Action, (long Us, long Number)> _queue = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly SimRandom _random;
    private readonly long _reorderUs;
    private long _number;

    /// <param name="random">Orders what is ready at once.</param>
    /// <param name="reorderUs">How far, in microseconds, work that is ready may be put off; 0 for first come, first served.</param>
    public SimScheduler(SimRandom random, long reorderUs)
    {
        _random = random;
        _reorderUs = reorderUs;
    }

    /// <summary>Microseconds since the run began.</summary>
    public long NowUs { get; private set; }

    /// <summary>Things that have happened.</summary>
    public long Events { get; private set; }

    /// <summary>Called after each event.</summary>
    public Action? AfterEach { get; set; }

    public void At(long us, Action action)
    {
        CheckThread();
        _queue.Enqueue(action, (Math.Max(us, NowUs), _number++));
    }

    public void After(long us, Action action) => At(NowUs + us, action);

    /// <summary>Does it soon, in an order of the seed's choice.</summary>
    public void Soon(Action action) => After(_reorderUs == 0 ? 0 : _random.Below(_reorderUs), action);

    /// <summary>Lets everything happen up to a time, or until <paramref name="isDone"/>.</summary>
    public bool RunUntil(long us, Func<bool>? isDone = null)
    {
        while (isDone?.Invoke() != true)
        {
            if (!_queue.TryPeek(out _, out var next) || next.Us > us)
            {
                NowUs = us;
                return isDone is null;
            }

            var action = _queue.Dequeue();
            NowUs = next.Us;
            Events++;
            action();
            AfterEach?.Invoke();
        }

        return true;
    }

    internal void CheckThread()
    {
        if (Environment.CurrentManagedThreadId != _thread)
            throw new InvalidOperationException("Work has escaped from the simulation to another thread: look for what does not go through its ports.");
    }
}
