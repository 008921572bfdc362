namespace OrleansLog.Simulation.Running;

/// <summary>
/// Where the code of one process runs: its continuations and timers come here. When the process is killed they never
/// run again, wherever they stood; while it is paused they wait.
/// </summary>
public sealed class SimProcess(SimScheduler scheduler) : SynchronizationContext
{
    private readonly Queue<Action> _held = new();
    private bool _isPaused;

    public bool IsDead { get; private set; }

    /// <summary>Whether even its messages under way are lost: it goes with its disk.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>Whether what it throws and catches is its own affair.</summary>
    public bool IsApplication { get; init; }

    public void Kill()
    {
        IsDead = true;
        _held.Clear();
    }

    public void Pause() => _isPaused = true;

    public void Resume()
    {
        _isPaused = false;
        while (_held.TryDequeue(out var action)) scheduler.Soon(() => Enter(action));
    }

    /// <summary>Runs something as part of this process, now.</summary>
    public void Enter(Action action)
    {
        if (IsDead) return;
        if (_isPaused)
        {
            _held.Enqueue(action);
            return;
        }

        var outer = Current;
        SetSynchronizationContext(this);
        try
        {
            action();
        }
        finally
        {
            SetSynchronizationContext(outer);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        scheduler.CheckThread();
        if (!IsDead) scheduler.Soon(() => Enter(() => d(state)));
    }

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new InvalidOperationException("Nothing in a simulation may block on its scheduler.");

    public override SynchronizationContext CreateCopy() => this;
}
