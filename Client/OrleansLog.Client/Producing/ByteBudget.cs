namespace OrleansLog.Client.Producing;

/// <summary>Bounds the bytes that a producer holds. Any thread.</summary>
internal sealed class ByteBudget(long capacity)
{
    private readonly Lock _gate = new();
    private long _free = capacity;
    private TaskCompletionSource? _room;

    public bool TryTake(long bytes)
    {
        var free = Interlocked.Read(ref _free);
        while (free >= bytes)
        {
            var found = Interlocked.CompareExchange(ref _free, free - bytes, free);
            if (found == free) return true;
            free = found;
        }
        return false;
    }

    public void Return(long bytes)
    {
        Interlocked.Add(ref _free, bytes);
        TaskCompletionSource? room;
        lock (_gate) (room, _room) = (_room, null);
        room?.TrySetResult();
    }

    /// <summary>Completes when bytes have come back since the call. Call it before looking whether there is room.</summary>
    public Task WhenReturned()
    {
        lock (_gate) return (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
    }
}
