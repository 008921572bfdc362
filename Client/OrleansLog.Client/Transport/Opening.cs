using System.Diagnostics.CodeAnalysis;

namespace OrleansLog.Client.Transport;

/// <summary>
/// A connection that is being opened, and those who wait for it: they go on in the order in which they came, each as far as
/// handing over its request before the next. Awaiting the same task they would go on in any order. Any thread.
/// </summary>
internal sealed class Opening<TConnection> where TConnection : class
{
    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource<TConnection>> _waiting = new();
    private bool _isPassed;

    public Opening(Task<TConnection> task)
    {
        Task = task;
        _ = LetInAsync();
    }

    /// <summary>Ends when the connection is open, or with what was in the way.</summary>
    public Task<TConnection> Task { get; }

    /// <summary>The connection, as soon as it is the caller's turn to use it. Await it without going back to a context.</summary>
    public ValueTask<TConnection> EnterAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_isPassed) return new ValueTask<TConnection>(Task);
            var turn = new TaskCompletionSource<TConnection>();
            _waiting.Enqueue(turn);
            return cancellationToken.CanBeCanceled ? WaitAsync(turn, cancellationToken) : new ValueTask<TConnection>(turn.Task);
        }
    }

    private static async ValueTask<TConnection> WaitAsync(TaskCompletionSource<TConnection> turn, CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource<TConnection>)state!).TrySetCanceled(token), turn);
        return await turn.Task.ConfigureAwait(false);
    }

    private async Task LetInAsync()
    {
        await ((Task)Task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (TryTakeNext(out var turn)) turn.TrySetFromTask(Task);
    }

    private bool TryTakeNext([NotNullWhen(true)] out TaskCompletionSource<TConnection>? turn)
    {
        lock (_gate)
        {
            _isPassed = !_waiting.TryDequeue(out turn);
            return turn is not null;
        }
    }
}
