namespace OrleansLog.Grains.Calls;

/// <summary>
/// Starts requests in the order of their numbers, in whichever order they arrive. One caller at a time.
/// </summary>
/// <param name="start">
/// Starts a request. When this returns, all of it that must happen in order has happened, and the request's bytes are no
/// longer needed; the answer may come later.
/// </param>
public sealed class Turns(Func<Payload, ValueTask<Payload>> start)
{
    /// <summary>How many requests may wait for an earlier one that has not arrived yet.</summary>
    public const int WaitingMax = 256;

    private readonly Dictionary<long, Waiting> _waiting = [];
    private long _next;

    /// <summary>Starts a request now or when its turn comes, and answers it.</summary>
    /// <exception cref="IOException">Its turn is over, or will not come, or too many wait.</exception>
    public ValueTask<Payload> TakeAsync(long number, Payload request)
    {
        if (number == _next)
        {
            var answer = Start(request);
            StartWaiting();
            return answer;
        }
        if (_next == 0)
            throw new IOException($"Request {number} came on a line of requests that is not open (any more); open another.");
        if (number < _next || _waiting.ContainsKey(number))
            throw new IOException($"Request {number} came twice.");
        if (_waiting.Count == WaitingMax)
            throw new IOException($"{WaitingMax} requests wait for request {_next}, which has not come.");
        var waiting = new Waiting(request);
        _waiting.Add(number, waiting);
        return new(waiting.Answer.Task);
    }

    private ValueTask<Payload> Start(Payload request)
    {
        _next++;
        try
        {
            return start(request);
        }
        catch (Exception failed)
        {
            return ValueTask.FromException<Payload>(failed);
        }
        finally
        {
            request.Release();
        }
    }

    private void StartWaiting()
    {
        while (_waiting.Remove(_next, out var waiting))
            _ = AnswerAsync(waiting);
    }

    private async Task AnswerAsync(Waiting waiting)
    {
        try
        {
            waiting.Answer.SetResult(await Start(waiting.Request));
        }
        catch (Exception failed)
        {
            waiting.Answer.SetException(failed);
        }
    }

    private sealed record Waiting(Payload Request)
    {
        public TaskCompletionSource<Payload> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
