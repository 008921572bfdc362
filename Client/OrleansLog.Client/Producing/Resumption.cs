using System.Threading.Tasks.Sources;

namespace OrleansLog.Client.Producing;

/// <summary>
/// What goes on after an await: always queued, to where the application awaited or else to the thread pool, never run by
/// the thread that completes it, so that one slow application cannot hold up a connection.
/// </summary>
internal readonly struct Resumption
{
    private readonly Action<object?>? _continuation;
    private readonly object? _state;
    private readonly object? _scheduler;

    private Resumption(Action<object?> continuation, object? state, object? scheduler) =>
        (_continuation, _state, _scheduler) = (continuation, state, scheduler);

    public static Resumption Capture(Action<object?> continuation, object? state, ValueTaskSourceOnCompletedFlags flags)
    {
        if ((flags & ValueTaskSourceOnCompletedFlags.FlowExecutionContext) != 0 && ExecutionContext.Capture() is { } context)
        {
            var inner = continuation;
            continuation = value => ExecutionContext.Run(context, new ContextCallback(inner), value);
        }
        return new(continuation, state, (flags & ValueTaskSourceOnCompletedFlags.UseSchedulingContext) != 0 ? CurrentScheduler() : null);
    }

    public void Resume()
    {
        if (_scheduler is SynchronizationContext context) context.Post(new SendOrPostCallback(_continuation!), _state);
        else if (_scheduler is TaskScheduler scheduler)
            Task.Factory.StartNew(_continuation!, _state, CancellationToken.None, TaskCreationOptions.DenyChildAttach, scheduler);
        else ThreadPool.UnsafeQueueUserWorkItem(_continuation!, _state, preferLocal: false);
    }

    public void ResumeIfSet()
    {
        if (_continuation is not null) Resume();
    }

    private static object? CurrentScheduler()
    {
        if (SynchronizationContext.Current is { } context && context.GetType() != typeof(SynchronizationContext)) return context;
        return TaskScheduler.Current is var scheduler && scheduler != TaskScheduler.Default ? scheduler : null;
    }
}
