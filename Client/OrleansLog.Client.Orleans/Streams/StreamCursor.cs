using Orleans.Runtime;
using Orleans.Streams;

namespace OrleansLog.Client.Orleans.Streams;

/// <summary>
/// Where a subscription is in its stream. It takes events from the cache, and before those from the log, piece by piece, so
/// that none is missed however far back it begins. Used on the turn of its pulling agent.
/// <para>
/// First it shows an empty batch with the token that it begins at: the agent skips what a new cursor shows first when a
/// subscriber has asked for a token, as if that had been delivered.
/// </para>
/// </summary>
internal sealed class StreamCursor : IQueueCacheCursor
{
    private readonly StreamCache _cache;
    private readonly StreamWindow _window;
    private readonly StreamId _stream;
    private readonly byte[] _key;
    private readonly (long Offset, int Index) _begin;
    private readonly Queue<LogBatch> _reread = [];
    private readonly CancellationTokenSource _disposing = new();
    private LinkedListNode<LogBatch>? _last;
    private Task<(List<LogBatch> Batches, long Next)>? _reading;
    private LogBatch? _beginning;
    private LogBatch? _current;
    private long _position;
    private bool _isBehind;
    private bool _isDisposed;

    public StreamCursor(StreamCache cache, StreamWindow window, StreamId stream, StreamSequenceToken token)
    {
        (_cache, _window, _stream) = (cache, window, stream);
        _key = StreamRecord.KeyOf(stream);
        _begin = (token.SequenceNumber, token.EventIndex);
        _beginning = new LogBatch(stream, _begin.Offset, null!) { TokenIndex = _begin.Index };
        _position = _begin.Index == LogBatch.AfterLast ? _begin.Offset + 1 : _begin.Offset;
        _isBehind = _position < cache.From;
    }

    /// <summary>The offset of the next event that has not been delivered, or <see cref="long.MaxValue"/> if there is none.</summary>
    public long Pending
    {
        get
        {
            if (_current is not null) return _current.Offset;
            if (_reread.TryPeek(out var next)) return next.Offset;
            return _isBehind || _window.Batches.Last?.Value.Offset >= _position ? _position : long.MaxValue;
        }
    }

    public IBatchContainer? GetCurrent(out Exception? exception)
    {
        exception = null;
        return _current;
    }

    public bool MoveNext()
    {
        (_current, _beginning) = (_beginning ?? Take(), null);
        return _current is not null;
    }

    public void Refresh(StreamSequenceToken token)
    {
        // It knows where it is.
    }

    public void RecordDeliveryFailure()
    {
        // The log keeps events whether they were delivered or not.
    }

    /// <summary>The cache has no longer what it may not have read yet.</summary>
    public void NoteDropped(long offset) => _isBehind |= offset >= _position;

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _cache.Forget(this, _stream, _window);
        _disposing.Cancel();
    }

    private LogBatch? Take()
    {
        while (_reread.Count == 0 && _isBehind)
        {
            _reading ??= StartReading();
            if (!_reading.IsCompletedSuccessfully) return null;
            TakePiece(_reading.Result);
        }
        var batch = _reread.TryDequeue(out var again) ? again : TakeCached();
        return batch?.From(batch.Offset == _begin.Offset ? _begin.Index : 0);
    }

    private LogBatch? TakeCached()
    {
        var next = _last?.List is null ? _window.Batches.First : _last.Next;
        while (next?.Value.Offset < _position) next = next.Next;
        if (next is null) return null;
        _last = next;
        _position = next.Value.Offset + 1;
        return next.Value;
    }

    private void TakePiece((List<LogBatch> Batches, long Next) piece)
    {
        foreach (var batch in piece.Batches) _reread.Enqueue(batch);
        _position = piece.Next;
        _isBehind = _position < _cache.From;
        _reading = null;
    }

    private Task<(List<LogBatch> Batches, long Next)> StartReading()
    {
        var (from, limit, stop) = (_position, _cache.From, _disposing.Token);
        var reading = Task.Run(() => _cache.Source.ReadPieceAsync(_key, _stream, from, limit, stop), stop);
        _ = Task.Run(() => WakeAfterAsync(reading, stop), CancellationToken.None);
        return reading;
    }

    private async Task WakeAfterAsync(Task reading, CancellationToken stop)
    {
        try
        {
            await reading;
            await _cache.WakeAsync(_stream, stop);
        }
        catch (OperationCanceledException)
        {
            // Nobody reads here any more.
        }
    }
}
