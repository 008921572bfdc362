using System.Runtime.ExceptionServices;
using OrleansLog.Simulation.Running;

namespace OrleansLog.Simulation;

/// <summary>
/// Notices exceptions that mean a mistake in the program and that nobody awaits: a task that was let go would otherwise
/// fail in silence.
/// </summary>
internal sealed class SilentFailures : IDisposable
{
    private readonly int _thread = Environment.CurrentManagedThreadId;

    public SilentFailures() => AppDomain.CurrentDomain.FirstChanceException += Note;

    public string? First { get; private set; }

    public void Dispose() => AppDomain.CurrentDomain.FirstChanceException -= Note;

    private void Note(object? sender, FirstChanceExceptionEventArgs e)
    {
        if (Environment.CurrentManagedThreadId != _thread || SynchronizationContext.Current is SimProcess { IsApplication: true }) return;
        if (e.Exception is IOException or OperationCanceledException or TimeoutException or Replication.Following.DivergedReplicaException) return;
        First ??= $"exception: {e.Exception}";
    }
}
