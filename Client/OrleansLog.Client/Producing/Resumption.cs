using System.Threading.Tasks.Sources;

namespace OrleansLog.Client.Producing;

/// <summary>
/// What goes on after an await: always queued, never run by the thread that completes it, so that one slow application
/// cannot hold up a connection.
/// </summary>
internal readonly struct Resumption
{
    private readonly Action<object?>? _continuation;
    private readonly object? _state;

    private Resumption(Action<object?> continuation, object? state) => (_continuation, _state) = (continuation, state);

    public static Resumption Capture(Action<object?> continuation, object? state, ValueTaskSourceOnCompletedFlags flags)
    {
        if ((flags & ValueTaskSourceOnCompletedFlags.FlowExecutionContext) != 0 && ExecutionContext.Capture() is { } context)
        {
            var inner = continuation;
            continuation = value => ExecutionContext.Run(context, new ContextCallback(inner), value);
        }
        if ((flags & ValueTaskSourceOnCompletedFlags.UseSchedulingContext) == 0) return new(continuation, state);
        if (SynchronizationContext.Current is { } synchronization && synchronization.GetType() != typeof(SynchronizationContext))
        {
            var inner = new SendOrPostCallback(continuation);
            return new(value => synchronization.Post(inner, value), state);
        }
        if (TaskScheduler.Current is var scheduler && scheduler != TaskScheduler.Default)
        {
            var inner = continuation;
            return new(
                value => Task.Factory.StartNew(inner, value, CancellationToken.None, TaskCreationOptions.DenyChildAttach, scheduler),
                state);
        }
        return new(continuation, state);
    }

    public void Resume() => ThreadPool.UnsafeQueueUserWorkItem(_continuation!, _state, preferLocal: false);

    public void ResumeIfSet()
    {
        if (_continuation is not null) Resume();
    }
}
