using System.Buffers;
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
    private const int CopyBlockBytes = 256 * 1024;
    private const long TimestampNotLoaded = long.MinValue;

    private readonly ILogFileSystem _files;
    private readonly string _directory;
    private readonly long _createdMs;
    private ILogFile? _log;
    private ColdBytes? _cold;
    private RefusedRange[] _refused = [];
    private int _size;
    private long _nextOffset;
    private long _maxTimestamp = RecordBatchHeader.NoTimestamp;
    private long _offsetOfMaxTimestamp;
    private long _lastTimeEntry = RecordBatchHeader.NoTimestamp;
    private int _bytesSinceIndexEntry;
    private bool _isRetired;

    /// <param name="files">Where the files are.</param>
    /// <param name="directory">The partition's directory.</param>
    /// <param name="baseOffset">The offset that names the files.</param>
    /// <param name="createdMs">When the first append came; -1 for a segment that was there when the log was opened.</param>
    public Segment(ILogFileSystem files, string directory, Offset baseOffset, long createdMs)
    {
        _files = files;
        _directory = directory;
        _createdMs = createdMs;
        BaseOffset = baseOffset;
        _nextOffset = baseOffset.Value;
        Offsets = new SparseIndex(this, SegmentFileNames.OffsetIndexSuffix, sizeof(int));
        Times = new SparseIndex(this, SegmentFileNames.TimeIndexSuffix, sizeof(long));
    }

    public Offset BaseOffset { get; }

    /// <summary>Comes behind the names of the files: for one that is being written to take the place of others.</summary>
    public string NameSuffix { get; set; } = "";

    /// <summary>Relative base offset of a batch to its position.</summary>
    public SparseIndex Offsets { get; }

    /// <summary>The latest timestamp so far to the relative base offset of the batch that holds it.</summary>
    public SparseIndex Times { get; }

    /// <summary>What is known of the leader epochs of bytes that were there before the log was opened.</summary>
    public Func<Offset, LeaderEpoch>? KnownEpochs { get; set; }

    public string LogPath => PathOf(SegmentFileNames.LogSuffix);
    public ILogFile Log => OpenFile(ref _log, SegmentFileNames.LogSuffix, create: false);

    public int Size => Volatile.Read(ref _size);
    public Offset NextOffset => new(Volatile.Read(ref _nextOffset));
    public ReadOnlySpan<RefusedRange> Refused => Volatile.Read(ref _refused);

    /// <summary>Whether a failed append may have left bytes behind the last whole batch. On the writer's turn.</summary>
    public bool HasRemains { get; private set; }

    /// <summary>The latest timestamp of the segment's records, -1 when none has one.</summary>
    public long MaxTimestamp
    {
        get
        {
            if (Volatile.Read(ref _maxTimestamp) == TimestampNotLoaded) LoadMaxTimestamp();
            return Volatile.Read(ref _maxTimestamp);
        }
    }

    /// <summary>The base offset of the first batch that has a record of <see cref="MaxTimestamp"/>.</summary>
    public Offset OffsetOfMaxTimestamp => MaxTimestamp < 0 ? BaseOffset : new(Volatile.Read(ref _offsetOfMaxTimestamp));

    /// <summary>When the first append came, as far as that is known after a restart: the first batch tells.</summary>
    public long CreatedMs(long nowMs)
    {
        if (_createdMs >= 0) return _createdMs;
        var walker = new BatchWalker(this, 0, _size, stackalloc byte[BatchWalker.BlockSize]);
        return walker.MoveNext() && walker.Header.MaxTimestamp >= 0 ? Math.Min(walker.Header.MaxTimestamp, nowMs) : nowMs;
    }

    public void Create() => OpenFile(ref _log, SegmentFileNames.LogSuffix, create: true);

    /// <summary>Appends whole batches whose offsets follow the segment's last.</summary>
    /// <exception cref="IOException">Nothing was appended; see <see cref="HasRemains"/>.</exception>
    public void Append(ReadOnlySpan<byte> batches, Offset nextOffset, int indexIntervalBytes)
    {
        HasRemains = true;
        Log.Write(_size, batches);
        HasRemains = false;
        Index(batches, indexIntervalBytes);
        Publish(_size + batches.Length, nextOffset);
    }

    /// <summary>Writes the bytes from a position on anew, as they are, so that the next flush covers them.</summary>
    public void WriteAgain(int from)
    {
        var block = ArrayPool<byte>.Shared.Rent(CopyBlockBytes);
        while (from < _size)
        {
            var length = Log.ReadFully(from, block.AsSpan(0, Math.Min(block.Length, _size - from)));
            if (length == 0) break;
            Log.Write(from, block.AsSpan(0, length));
            from += length;
        }

        ArrayPool<byte>.Shared.Return(block);
    }

    /// <summary>Cuts off what a failed append left behind the last whole batch. It is gone for good when it completes.</summary>
    public async ValueTask CutRemainsAsync()
    {
        Log.Truncate(_size);
        await Log.FlushAsync();
        HasRemains = false;
    }

    /// <summary>Takes over bytes that an earlier process wrote and flushed, with the index entries for them.</summary>
    public void Load(int size, Offset nextOffset, int offsetEntries, int timeEntries)
    {
        Offsets.Load(offsetEntries);
        Times.Load(timeEntries);
        _maxTimestamp = TimestampNotLoaded;
        _cold = new ColdBytes(size, nextOffset);
        Publish(size, nextOffset);
    }

    /// <summary>Takes over one batch that recovery has read and found whole, behind the others.</summary>
    public void AppendRecovered(in RecordBatchHeader header, int position, int indexIntervalBytes)
    {
        Index(header, position, indexIntervalBytes);
        Publish(position + header.SizeInBytes, header.NextOffset);
    }

    /// <summary>Refuses a range for good. Any thread.</summary>
    public void Refuse(RefusedRange range)
    {
        RefusedRange[] known, more;
        do
        {
            known = Volatile.Read(ref _refused);
            if (Array.Exists(known, r => r.Position == range.Position)) return;
            more = [.. known, range];
            Array.Sort(more, static (a, b) => a.Position.CompareTo(b.Position));
        }
        while (Interlocked.CompareExchange(ref _refused, more, known) != known);

        // Damage at the end leaves the segment responsible for the offsets that were there.
        if (range.Position + range.Length > _size) Publish((int)(range.Position + range.Length), range.To);
    }

    /// <summary>The range that an offset is refused in, once <see cref="PositionOf"/> has looked at that place.</summary>
    public RefusedRange? RefusalOf(Offset offset)
    {
        foreach (var range in Refused)
            if (range.From <= offset && offset < range.To) return range;
        return null;
    }

    /// <summary>The position of the batch that holds an offset, or of the first good one after it; the size if none does.</summary>
    public int PositionOf(Offset offset, int size)
    {
        var hint = Offsets.FloorByKey(offset - BaseOffset);
        var start = hint?.Key <= offset - BaseOffset ? Verified(hint, size) : 0;
        var walker = new BatchWalker(this, start, size, stackalloc byte[BatchWalker.BlockSize]);
        while (walker.MoveNext())
            if (walker.Header.NextOffset > offset) return walker.Position;
        return size;
    }

    /// <summary>
    /// Where to cut so that nothing from an offset on is left: the position and the base offset of the batch that holds it.
    /// </summary>
    public (int Position, Offset BaseOffset) BatchAt(Offset offset)
    {
        var walker = new BatchWalker(this, PositionOf(offset, _size), _size, stackalloc byte[BatchWalker.BlockSize]);
        var isFound = walker.MoveNext();
        if (RefusalOf(offset) is { } range) return ((int)range.Position, range.From);
        return isFound ? (walker.Position, walker.Header.BaseOffset) : (_size, Offset.Min(offset, NextOffset));
    }

    /// <summary>
    /// The end of the last whole batch in <paramref name="position"/>..<paramref name="limit"/>; that of the first batch
    /// if not even that one fits and <paramref name="minOneBatch"/> asks for it.
    /// </summary>
    public int EndOfBatches(int position, int limit, int size, bool minOneBatch)
    {
        var end = Math.Max(position, BatchBefore(limit).Position);
        var walker = new BatchWalker(this, end, size, stackalloc byte[BatchWalker.BlockSize]);
        while (walker.MoveNext() && (walker.NextPosition <= limit || (minOneBatch && end == position)))
            end = walker.NextPosition;
        return end;
    }

    /// <summary>The offset of the first batch between two positions that has records; null if none has.</summary>
    public Offset? FirstWithRecords(int position, int end)
    {
        var walker = new BatchWalker(this, position, end, stackalloc byte[BatchWalker.BlockSize]);
        while (walker.MoveNext())
            if (walker.Header.RecordCount > 0) return walker.Header.BaseOffset;
        return null;
    }

    /// <summary>The leader epoch of the batch that holds an offset, if that has no records; null otherwise.</summary>
    public LeaderEpoch? EpochOfEmptyAt(Offset offset)
    {
        var walker = new BatchWalker(this, PositionOf(offset, _size), _size, stackalloc byte[BatchWalker.BlockSize]);
        return walker.MoveNext() && walker.Header.RecordCount == 0 && walker.Header.BaseOffset <= offset ? walker.Header.PartitionLeaderEpoch : null;
    }

    /// <summary>A batch at or before a position, as near as the index knows, and its offset.</summary>
    public (int Position, Offset BaseOffset) BatchBefore(int position)
    {
        var hint = Offsets.FloorByValue(position);
        var start = hint?.Value <= position ? Verified(hint, _size) : 0;
        return start == 0 ? (0, BaseOffset) : (start, BaseOffset + hint!.Value.Key);
    }

    /// <summary>Where damage that begins at or before a position ends; the position itself if it is sound.</summary>
    public int SkipDamage(int position)
    {
        _cold?.EnsureChecked(this, position);
        foreach (var range in Refused)
            if (range.Position <= position && position < range.Position + range.Length)
                position = (int)(range.Position + range.Length);
        return position;
    }

    /// <summary>How far the bytes from <paramref name="position"/> on are sound, at most to <paramref name="end"/>.</summary>
    public int SoundEnd(int position, int end)
    {
        _cold?.EnsureChecked(this, position, end);
        foreach (var range in Refused)
            if (position <= range.Position && range.Position < end) return (int)range.Position;
        return end;
    }

    /// <summary>Stores the indexes, complete up to here.</summary>
    public void StoreIndexes()
    {
        AddTimeEntry();
        Offsets.Store();
        Times.Store();
    }

    /// <summary>Whether entries were taken from the indexes since they were last flushed.</summary>
    public bool HasCutIndexes => Offsets.IsCut || Times.IsCut;

    public async ValueTask FlushIndexesAsync()
    {
        await Offsets.FlushAsync();
        await Times.FlushAsync();
    }

    /// <summary>Cuts the segment back to end before the batch at a position. What is left is durable when it completes.</summary>
    public async ValueTask TruncateToAsync(int position, Offset nextOffset)
    {
        Volatile.Write(ref _size, position);
        Volatile.Write(ref _nextOffset, nextOffset.Value);
        _refused = [.. _refused.Where(range => range.Position < position)];
        _cold?.Truncate(position, nextOffset);
        Offsets.TruncateByValue(position);
        Times.TruncateByValue((int)(nextOffset - BaseOffset));
        LoadMaxTimestamp();
        IndexAgain(Offsets.Last?.Value ?? 0, position);
        await CutRemainsAsync();
    }

    public SegmentInfo Describe(bool isSealed) => new(BaseOffset, NextOffset, Size, MaxTimestamp, isSealed);

    /// <summary>Deletes the files; slices of the log go on until <see cref="Close"/>.</summary>
    public void Delete()
    {
        Volatile.Read(ref _log)?.KeepOpen();
        DeleteFiles();
    }

    /// <summary>Deletes the names alone: of a segment that is retired.</summary>
    public void DeleteFiles()
    {
        _files.Delete(LogPath);
        _files.Delete(PathOf(SegmentFileNames.OffsetIndexSuffix));
        _files.Delete(PathOf(SegmentFileNames.TimeIndexSuffix));
    }

    /// <summary>
    /// Another segment is about to take over the names of the files: from now on none is opened, and those who found the segment
    /// before go on until <see cref="Close"/>.
    /// </summary>
    public void Retire()
    {
        Log.KeepOpen();
        Offsets.KeepOpen();
        Times.KeepOpen();
        Volatile.Write(ref _isRetired, true);
    }

    public void Close()
    {
        Interlocked.Exchange(ref _log, null)?.Dispose();
        Offsets.Close();
        Times.Close();
    }

    /// <summary>Opens one of the segment's files at its first use, by whichever thread comes first.</summary>
    public ILogFile OpenFile(ref ILogFile? field, string suffix, bool create)
    {
        if (Volatile.Read(ref field) is { } opened) return opened;
        if (Volatile.Read(ref _isRetired)) throw new StorageException($"{PathOf(suffix)} is another segment's by now");
        var file = _files.Open(PathOf(suffix), create);
        var winner = Interlocked.CompareExchange(ref field, file, null);
        if (winner is null && !Volatile.Read(ref _isRetired)) return file;
        if (winner is null) Interlocked.Exchange(ref field, null);
        file.Dispose();
        return winner ?? throw new StorageException($"{PathOf(suffix)} is another segment's by now");
    }

    private string PathOf(string suffix) => SegmentFileNames.PathOf(_directory, BaseOffset, suffix) + NameSuffix;

    // A reader takes the size first: the next offset that it then finds is never behind that size.
    private void Publish(int size, Offset nextOffset)
    {
        Volatile.Write(ref _nextOffset, nextOffset.Value);
        Volatile.Write(ref _size, size);
    }

    // An index is a hint: an entry that does not stand at the batch it names costs a walk from the start, nothing else.
    private int Verified(IndexEntry? entry, int size)
    {
        if (entry is not { } hint || hint.Value >= size) return 0;
        Span<byte> bytes = stackalloc byte[RecordBatchHeader.Size];
        var length = Log.ReadFully(hint.Value, bytes);
        var isSound = RecordBatchHeader.TryRead(bytes[..length], out var header) == ErrorCode.None
            && header.BaseOffset == BaseOffset + hint.Key;
        return isSound ? hint.Value : 0;
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

    // What came after the last index entry is in no index.
    private void IndexAgain(int from, int end)
    {
        _bytesSinceIndexEntry = end - from;
        var walker = new BatchWalker(this, from, end, stackalloc byte[BatchWalker.BlockSize]);
        while (walker.MoveNext()) NoteTimestamp(walker.Header);
    }

    private void NoteTimestamp(in RecordBatchHeader header)
    {
        if (header.MaxTimestamp <= MaxTimestamp) return;
        Volatile.Write(ref _offsetOfMaxTimestamp, header.BaseOffset.Value);
        Volatile.Write(ref _maxTimestamp, header.MaxTimestamp);
    }

    private void Index(in RecordBatchHeader header, int position, int intervalBytes)
    {
        NoteTimestamp(header);
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
        if (MaxTimestamp <= _lastTimeEntry) return;
        Times.Add(_maxTimestamp, (int)(_offsetOfMaxTimestamp - BaseOffset.Value));
        _lastTimeEntry = _maxTimestamp;
    }

    private void LoadMaxTimestamp()
    {
        var last = Times.Last ?? new IndexEntry(RecordBatchHeader.NoTimestamp, 0);
        _lastTimeEntry = last.Key;
        Volatile.Write(ref _offsetOfMaxTimestamp, BaseOffset.Value + last.Value);
        Volatile.Write(ref _maxTimestamp, last.Key);
    }
}
