namespace OrleansLog.Client.Waiting;

/// <summary>
/// Waits that somebody may give up. <see cref="Task.WaitAsync(CancellationToken)"/> goes by the thread pool when the task
/// it waits for lets nobody run on the thread that completes it; these leave the caller in its synchronization context.
/// </summary>
internal static class Waits
{
    /// <summary>Waits for a completion that nobody else waits for.</summary>
    /// <exception cref="OperationCanceledException">The wait was given up: the completion is cancelled.</exception>
    public static async Task WaitAsync(this TaskCompletionSource completion, CancellationToken cancellationToken)
    {
        using var giving = cancellationToken.UnsafeRegister(
            static (source, token) => ((TaskCompletionSource)source!).TrySetCanceled(token), completion);
        await completion.Task;
    }

    /// <summary>Waits for a task that others may wait for too.</summary>
    /// <exception cref="OperationCanceledException">The wait was given up; the task goes on.</exception>
    public static Task OrGiveUpAsync(this Task task, CancellationToken cancellationToken)
    {
        if (task.IsCompleted || !cancellationToken.CanBeCanceled) return task;
        var either = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = CompleteAsync(either, task);
        return either.WaitAsync(cancellationToken);
    }

    private static async Task CompleteAsync(TaskCompletionSource completion, Task with)
    {
        await with.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        completion.TrySetFromTask(with);
    }
}
