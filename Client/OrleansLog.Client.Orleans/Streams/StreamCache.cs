using System.Diagnostics.CodeAnalysis;
using Orleans.Providers.Streams.Common;
using Orleans.Runtime;
using Orleans.Streams;

namespace OrleansLog.Client.Orleans.Streams;

/// <summary>
/// The newest events of one partition, for all subscriptions to its streams. It never makes reading wait and never misses:
/// what does not fit is dropped, and a cursor that is further behind reads the log. Used on the turn of its pulling agent.
/// </summary>
/// <param name="source">The partition.</param>
/// <param name="bytesMax">How much to keep.</param>
/// <param name="wake">Has the agent look at a stream's cursors again.</param>
internal sealed class StreamCache(StreamSource source, long bytesMax, Func<IBatchContainer, CancellationToken, ValueTask> wake) : IQueueCache
{
    private readonly Queue<LogBatch> _batches = [];
    private readonly Dictionary<StreamId, StreamWindow> _streams = [];
    private long _bytes;

    public StreamSource Source => source;

    /// <summary>All events from this offset on are here; -1 while nothing was read.</summary>
    public long From { get; private set; } = -1;

    /// <summary>One past the last event that was read; -1 while nothing was.</summary>
    public long Next { get; private set; } = -1;

    public int GetMaxAddCount() => QueueAdapterConstants.UNLIMITED_GET_QUEUE_MSG;

    public bool IsUnderPressure() => false;

    public bool TryPurgeFromCache([MaybeNullWhen(false)] out IList<IBatchContainer> purgedItems)
    {
        purgedItems = null;
        return false;
    }

    public void AddToCache(IList<IBatchContainer> messages)
    {
        foreach (var batch in messages.OfType<LogBatch>()) Add(batch);
        while (_bytes > bytesMax) DropOldest();
    }

    public IQueueCacheCursor GetCacheCursor(StreamId streamId, StreamSequenceToken? token)
    {
        var window = WindowOf(streamId);
        var cursor = new StreamCursor(this, window, streamId, token ?? new EventSequenceTokenV2(Math.Max(Next, 0)));
        window.Cursors.Add(cursor);
        return cursor;
    }

    /// <summary>
    /// The offset before which everything has been delivered, or -1. A cursor that was rewound to before
    /// <paramref name="committed"/> does not hold it back: who asks for a token keeps its own.
    /// </summary>
    public long DeliveredBefore(long committed)
    {
        var before = Next;
        foreach (var window in _streams.Values)
        {
            foreach (var cursor in window.Cursors)
            {
                if (cursor.Pending >= committed) before = Math.Min(before, cursor.Pending);
            }
        }
        return before;
    }

    /// <summary>Has a cursor of the stream asked for its next event.</summary>
    public ValueTask WakeAsync(StreamId stream, CancellationToken cancellationToken) => wake(new Awakening(stream, this), cancellationToken);

    /// <summary>A cursor is not used any more.</summary>
    public void Forget(StreamCursor cursor, StreamId stream, StreamWindow window)
    {
        window.Cursors.Remove(cursor);
        if (window.IsEmpty) _streams.Remove(stream);
    }

    private void Add(LogBatch batch)
    {
        if (From < 0) From = batch.Offset;
        if (batch.Offset < Next) return;
        Next = batch.Offset + 1;
        _batches.Enqueue(batch);
        WindowOf(batch.StreamId).Batches.AddLast(batch);
        _bytes += batch.SizeInBytes;
    }

    private void DropOldest()
    {
        var batch = _batches.Dequeue();
        var window = _streams[batch.StreamId];
        window.Batches.RemoveFirst();
        foreach (var cursor in window.Cursors) cursor.NoteDropped(batch.Offset);
        if (window.IsEmpty) _streams.Remove(batch.StreamId);
        From = batch.Offset + 1;
        _bytes -= batch.SizeInBytes;
    }

    private StreamWindow WindowOf(StreamId stream)
    {
        if (!_streams.TryGetValue(stream, out var window)) _streams[stream] = window = new StreamWindow();
        return window;
    }

    /// <summary>Makes the pulling agent, which knows nothing else that would, run the cursors of a stream. Not an event.</summary>
    private sealed class Awakening(StreamId stream, StreamCache cache) : IBatchContainer
    {
        public StreamId StreamId => stream;

        public StreamSequenceToken SequenceToken => new EventSequenceTokenV2(Math.Max(cache.Next, 0));

        public IEnumerable<Tuple<T, StreamSequenceToken>> GetEvents<T>() => [];

        public bool ImportRequestContext() => false;
    }
}

/// <summary>What a cache has of one stream, and who reads it.</summary>
internal sealed class StreamWindow
{
    public LinkedList<LogBatch> Batches { get; } = [];

    public List<StreamCursor> Cursors { get; } = [];

    public bool IsEmpty => Batches.Count == 0 && Cursors.Count == 0;
}
