using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage;

/// <summary>
/// One segment: a <c>.log</c> file of record batches and its two sparse indexes. Appends and truncations happen on the
/// writer's turn; everything else is for any thread. What a reader may see is what was published: a size that always
/// stands at the end of a whole batch.
/// </summary>
internal sealed class Segment
{
    private const long NoTimestamp = RecordBatchHeader.NoTimestamp;

    private readonly ILogFileSystem _files;
    private readonly string _directory;
    private ILogFile? _log;
    private int _size;
    private long _nextOffset;
    private long _maxTimestamp = NoTimestamp;
    private long _offsetOfMaxTimestamp;
    private int _bytesSinceIndexEntry;
    private bool _tailIsDirty;

    public Segment(ILogFileSystem files, string directory, Offset baseOffset, long createdMs)
    {
        _files = files;
        _directory = directory;
        BaseOffset = baseOffset;
        CreatedMs = createdMs;
        _nextOffset = baseOffset.Value;
        Offsets = new(files, SegmentFileNames.PathOf(directory, baseOffset, SegmentFileNames.OffsetIndexSuffix), sizeof(int));
        Times = new(files, SegmentFileNames.PathOf(directory, baseOffset, SegmentFileNames.TimeIndexSuffix), sizeof(long));
    }

    public Offset BaseOffset { get; }
    public long CreatedMs { get; }

    /// <summary>Relative offset to position, for a batch each.</summary>
    public SparseIndex Offsets { get; }

    /// <summary>The latest timestamp so far to the relative base offset of the batch that holds it.</summary>
    public SparseIndex Times { get; }

    public string LogPath => SegmentFileNames.PathOf(_directory, BaseOffset, SegmentFileNames.LogSuffix);
    public ILogFile Log => LazyFile.Get(ref _log, _files, LogPath, create: false);

    public int Size => Volatile.Read(ref _size);
    public Offset NextOffset => new(Volatile.Read(ref _nextOffset));
    public long MaxTimestamp => Volatile.Read(ref _maxTimestamp);

    public void Create() => _log = _files.Open(LogPath, create: true);

    /// <summary>Appends whole batches whose offsets follow the segment's last.</summary>
    /// <exception cref="IOException">Nothing was appended; the next append may try again.</exception>
    public void Append(ReadOnlySpan<byte> batches, Offset nextOffset, int indexIntervalBytes)
    {
        CutDirtyTail();
        _tailIsDirty = true;
        Log.Write(_size, batches);
        _tailIsDirty = false;
        Index(batches, indexIntervalBytes);
        // A reader takes the size first: what it then finds as the next offset is never behind that size.
        Volatile.Write(ref _nextOffset, nextOffset.Value);
        Volatile.Write(ref _size, _size + batches.Length);
    }

    /// <summary>Cuts off what a failed append left behind the last whole batch.</summary>
    public void CutDirtyTail()
    {
        if (!_tailIsDirty) return;
        Log.Truncate(_size);
        _tailIsDirty = false;
    }

    /// <summary>The position of the batch that holds an offset, or of the first one after it; the size if none does.</summary>
    public int PositionOf(Offset offset, int size)
    {
        var start = Offsets.FloorByKey(offset - BaseOffset)?.Value ?? 0;
        var walker = new BatchWalker(this, start, size, stackalloc byte[BatchWalker.BlockSize]);
        while (walker.MoveNext())
            if (walker.Header.NextOffset > offset) return walker.Position;
        return size;
    }

    /// <summary>
    /// The end of the last whole batch in <paramref name="position"/>..<paramref name="limit"/>; that of the first batch
    /// if not even that one fits and <paramref name="minOneBatch"/> asks for it.
    /// </summary>
    public int EndOfBatches(int position, int limit, int size, bool minOneBatch)
    {
        var end = Math.Max(position, Offsets.FloorByValue(limit)?.Value ?? 0);
        var walker = new BatchWalker(this, end, size, stackalloc byte[BatchWalker.BlockSize]);
        while (walker.MoveNext() && (walker.NextPosition <= limit || (minOneBatch && end == position)))
            end = walker.NextPosition;
        return end;
    }

    public int SkipDamage(int position) => Math.Min(position, Size);

    public SegmentInfo Describe(bool isSealed) => new(BaseOffset, NextOffset, Size, MaxTimestamp, isSealed);

    public void Close()
    {
        Interlocked.Exchange(ref _log, null)?.Dispose();
        Offsets.Close();
        Times.Close();
    }

    private void Index(ReadOnlySpan<byte> batches, int intervalBytes)
    {
        for (var at = 0; at < batches.Length;)
        {
            RecordBatchHeader.TryRead(batches[at..], out var header);
            Index(header, _size + at, intervalBytes);
            at += header.SizeInBytes;
        }
    }

    private void Index(in RecordBatchHeader header, int position, int intervalBytes)
    {
        if (header.MaxTimestamp > _maxTimestamp)
        {
            _offsetOfMaxTimestamp = header.BaseOffset.Value;
            Volatile.Write(ref _maxTimestamp, header.MaxTimestamp);
        }

        if (_bytesSinceIndexEntry > intervalBytes)
        {
            Offsets.Add(header.BaseOffset - BaseOffset, position);
            AddTimeEntry();
            _bytesSinceIndexEntry = 0;
        }

        _bytesSinceIndexEntry += header.SizeInBytes;
    }

    private void AddTimeEntry()
    {
        if (_maxTimestamp > (Times.Last?.Key ?? NoTimestamp))
            Times.Add(_maxTimestamp, (int)(_offsetOfMaxTimestamp - BaseOffset.Value));
    }
}
