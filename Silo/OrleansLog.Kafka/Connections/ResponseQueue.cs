using Microsoft.Extensions.Logging;

namespace OrleansLog.Kafka.Connections;

/// <summary>
/// The responses of one connection, sent in the order of their requests, as the protocol demands, although they finish
/// in any order. Whoever enqueues first while nothing is being sent does the sending, so a response that is ready at
/// once leaves on the reader's own turn, without a hop between threads. At most <c>limit</c> requests wait here:
/// beyond that the reader is held back, and with it the peer.
/// </summary>
internal sealed class ResponseQueue(int limit, Func<ResponseFrame, ValueTask> send, Action<Exception> fail)
{
    private readonly Lock _lock = new();
    private readonly Queue<ValueTask<ResponseFrame?>> _pending = new();
    private TaskCompletionSource? _room;
    private bool _sending;
    private bool _failed;

    /// <summary>Adds a response; completes when the reader may go on. A null frame means "no answer".</summary>
    public Task EnqueueAsync(ValueTask<ResponseFrame?> response)
    {
        var room = Task.CompletedTask;
        lock (_lock)
        {
            _pending.Enqueue(response);
            if (_pending.Count >= limit && !_failed)
                room = (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            if (_sending)
                return room;
            _sending = true;
        }
        _ = SendPendingAsync();
        return room;
    }

    private async Task SendPendingAsync()
    {
        while (TryNext(out var response))
        {
            try
            {
                using var frame = await response;
                if (frame is not null && !_failed)
                    await send(frame);
            }
            catch (Exception cause)
            {
                // What is queued behind is still awaited, so that every frame is disposed and no error goes unobserved.
                _failed = true;
                fail(cause);
            }
        }
    }

    private bool TryNext(out ValueTask<ResponseFrame?> response)
    {
        lock (_lock)
        {
            _sending = _pending.TryDequeue(out response);
            if (_room is not null && _pending.Count < limit)
            {
                _room.SetResult();
                _room = null;
            }
            return _sending;
        }
    }
}
