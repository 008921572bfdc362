using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Storage.Compaction;

namespace OrleansLog.Storage;

/// <summary>
/// Finds out what a partition's directory holds, and mends it, before the log is opened. Bytes before the recovery
/// checkpoint are taken as they are; everything after it is read and checked.
/// <para>
/// What is no whole batch there may be one of three things. Nothing good follows: it is a torn tail, and the log is cut
/// to the last whole batch. Something good follows, but a disk sector amid the damage is all zeros, or a file ends before
/// the next one's name says it should: those bytes never reached the disk, so that no flush covered them or anything
/// after them, and the log is cut there too. Something good follows and nothing is missing: bits have changed, in bytes that
/// may well have been flushed and acknowledged since the last checkpoint. Cutting would silently lose the good batches
/// that follow, and the damaged one may be repaired from elsewhere; so nothing is cut, and the range is refused. Before
/// the checkpoint nothing is ever cut. Every case is logged.
/// </para>
/// </summary>
internal sealed class LogRecovery
{
    private readonly ILogFileSystem _files;
    private readonly string _directory;
    private readonly LogOptions _options;
    private readonly ILogger _logger;
    private readonly RecoveryCheckpoint _checkpoint;
    private readonly Dictionary<string, long> _lengths = [];
    private readonly Offset[] _baseOffsets;
    private Offset _expected;
    private readonly bool _mustRebuildEpochs;
    private bool _isCut;

    public LogRecovery(ILogFileSystem files, string directory, LogOptions options, ILogger logger, IReadOnlyList<LogFileEntry> entries)
    {
        _files = files;
        _directory = directory;
        _options = options;
        _logger = logger;
        foreach (var entry in entries) _lengths[entry.Name] = entry.Length;
        _baseOffsets = [.. BaseOffsets(SegmentFileNames.LogSuffix).Order()];
        var found = ReadCheckpoint();
        HasCheckpoint = found is not null;
        _checkpoint = found ?? RecoveryCheckpoint.None;
        var first = _baseOffsets.Length > 0 ? _baseOffsets[0] : _checkpoint.Offset;
        StartNotes = [.. BaseOffsets(SegmentFileNames.StartNoteSuffix)];
        LogStartOffset = StartNotes.Append(HasCheckpoint ? _checkpoint.LogStartOffset : first).Max();
        _expected = HasCheckpoint ? Offset.Min(first, _checkpoint.Offset) : first;
        var epochs = ReadEpochs();
        _mustRebuildEpochs = epochs is null && HasCheckpoint;
        HasMended = _mustRebuildEpochs || StartNotes.Count > 0;
        Epochs = (epochs ?? LeaderEpochs.Empty).WithoutFrom(_checkpoint.Offset);
    }

    public List<Segment> Segments { get; } = [];
    public LeaderEpochs Epochs { get; private set; }
    public Offset LogStartOffset { get; }
    public Offset LogEndOffset { get; private set; }

    /// <summary>
    /// The snapshots of producers that agree with the log, in no particular order. Where the checkpoint names none, or comes
    /// before one, the log was cut or dropped and they were not deleted yet, or the checkpoint they belong to was not written.
    /// </summary>
    public IEnumerable<Offset> Snapshots => _checkpoint.ProducerSnapshot == Offset.None
        ? []
        : BaseOffsets(SegmentFileNames.SnapshotSuffix).Where(offset => offset <= _checkpoint.Offset);

    /// <summary>Where deletions that the checkpoint does not speak of have moved the start to.</summary>
    public IReadOnlyList<Offset> StartNotes { get; }

    /// <summary>The segments that were read, whose bytes and indexes may not be on the disk yet.</summary>
    public List<(Segment Segment, int From)> Scanned { get; } = [];

    public bool HasScanned(Segment segment) => Scanned.Exists(scanned => scanned.Segment == segment);

    public long ScannedBytes { get; private set; }

    /// <summary>Whether anything was cut, deleted, refused or built anew, which has to be made durable and noted.</summary>
    public bool HasMended { get; private set; }

    /// <summary>The checkpoint that was found, or what goes without saying.</summary>
    public RecoveryCheckpoint Checkpoint => _checkpoint;

    public bool HasCheckpoint { get; }

    /// <summary>Whether there are segments whose names may not be on the disk yet.</summary>
    public bool HasNewFiles => Segments.Exists(segment => TrustedBytes(segment.BaseOffset, length: 1) == 0);

    /// <summary>
    /// Whether the next append needs a new segment: the last one ends in damage, or the checkpoint takes it for sealed, so
    /// that it would trust whatever is appended there, flushed or not.
    /// </summary>
    public bool MustRoll { get; private set; }

    public void Run()
    {
        DeleteStrays();
        for (var i = 0; i < _baseOffsets.Length; i++) Recover(i);
        LogEndOffset = Offset.Max(Offset.Max(_expected, _checkpoint.Offset), LogStartOffset);
        MustRoll = Segments.Count > 0
            && (Segments[^1].NextOffset < LogEndOffset || Segments[^1].Refused.Length > 0 || Segments[^1].BaseOffset < _checkpoint.SegmentBaseOffset);
        if (_expected < _checkpoint.Offset && _checkpoint.Offset > LogStartOffset)
            _logger.LogError(
                "{Directory}: offsets {From} to {To} were flushed and are gone; reads of them are refused",
                _directory, _expected, _checkpoint.Offset - 1L);
        DropBeforeStart();
        if (_mustRebuildEpochs) RebuildEpochs();
        Epochs = Segments.Count > 0 ? Epochs.WithoutBefore(LogStartOffset) : LeaderEpochs.Empty;
    }

    private void Recover(int index)
    {
        var baseOffset = _baseOffsets[index];
        var length = LengthOf(baseOffset, SegmentFileNames.LogSuffix);
        var trusted = TrustedBytes(baseOffset, length);
        if (_isCut || (trusted == 0 && !Belongs(baseOffset, length)))
        {
            Delete(baseOffset, length);
            return;
        }

        var segment = new Segment(_files, _directory, baseOffset, createdMs: -1);
        Segments.Add(segment);
        var trustedEnd = Offset.Min(_checkpoint.Offset, NextBaseOffset(index));
        if (!Load(segment, length, trusted, trustedEnd)) Scan(segment, index, 0, baseOffset, length, trusted);
        else if (length > trusted) Scan(segment, index, trusted, trustedEnd, length, trusted);
        _expected = segment.NextOffset;
    }

    // A checkpoint's own segment is durable up to its position, the ones before it whole.
    private int TrustedBytes(Offset baseOffset, int length) =>
        baseOffset < _checkpoint.SegmentBaseOffset ? length
        : baseOffset == _checkpoint.SegmentBaseOffset ? Math.Min(length, _checkpoint.Position)
        : 0;

    // Whether a segment that is not known to be durable goes on where the log ended so far.
    private bool Belongs(Offset baseOffset, int length)
    {
        if (length == 0 || baseOffset < _expected) return false;
        var end = Offset.Max(_expected, _checkpoint.Offset);
        // What lay between the end and a noted start was deleted with its segments.
        _isCut = baseOffset < end || baseOffset > Offset.Max(end, LogStartOffset);
        return !_isCut;
    }

    // False when the indexes do not cover the trusted bytes and have to be built anew.
    private bool Load(Segment segment, int length, int trusted, Offset trustedEnd)
    {
        if (trusted == 0) return false;
        var isActive = segment.BaseOffset == _checkpoint.SegmentBaseOffset;
        if (isActive && length < _checkpoint.Position) return false;
        var offsets = segment.Offsets.EntriesIn(LengthOf(segment.BaseOffset, SegmentFileNames.OffsetIndexSuffix));
        var times = segment.Times.EntriesIn(LengthOf(segment.BaseOffset, SegmentFileNames.TimeIndexSuffix));
        var offsetsDue = isActive ? _checkpoint.OffsetEntries : Math.Max(0, offsets);
        var timesDue = isActive ? _checkpoint.TimeEntries : Math.Max(0, times);
        if (offsetsDue < 0 || offsets < offsetsDue || times < timesDue) return false;
        if (!isActive && (offsets < 0 || times < 0)) return false;
        segment.Load(trusted, trustedEnd, offsetsDue, timesDue);
        if (offsets > offsetsDue) segment.Offsets.Truncate(offsetsDue);
        if (times > timesDue) segment.Times.Truncate(timesDue);
        // At once, for a checkpoint that trusts the lengths of these files may come after any number of restarts.
        HasMended |= segment.HasCutIndexes;
        return true;
    }

    private void Scan(Segment segment, int index, int from, Offset expected, int length, int trusted)
    {
        if (from == 0)
        {
            segment.Offsets.Truncate(0);
            segment.Times.Truncate(0);
        }

        Scanned.Add((segment, from));
        ScannedBytes += length - from;
        HasMended |= from < trusted;
        using var scanner = new SegmentScanner(segment.Log, from, length, expected);
        while (!_isCut && scanner.MoveNext())
        {
            if (scanner.IsDamaged) Judge(segment, index, scanner, length, trusted);
            else Accept(segment, scanner);
        }
    }

    private void Accept(Segment segment, SegmentScanner scanner)
    {
        segment.AppendRecovered(scanner.Header, scanner.Position, _options.IndexIntervalBytes);
        Epochs = Epochs.With(scanner.Header.PartitionLeaderEpoch, scanner.Header.BaseOffset);
    }

    private void Judge(Segment segment, int index, SegmentScanner scanner, int length, int trusted)
    {
        var isTrusted = scanner.Position < trusted;
        var isFollowed = scanner.IsFollowed || NextSegmentIsSound(index);
        if (!isTrusted && !scanner.IsFollowed && isFollowed && NextBaseOffset(index) == scanner.NextOffset) Trim(segment, scanner);
        else if (!isTrusted && !WillBeDropped(index) && (scanner.IsPartlyUnwritten() || !(isFollowed || scanner.IsWholeOutOfPlace))) Cut(segment, scanner, length);
        else Refuse(segment, scanner.Damage(segment.LogPath, EndOf(index, scanner)));
    }

    private Offset EndOf(int index, SegmentScanner scanner) =>
        index + 1 < _baseOffsets.Length ? _baseOffsets[index + 1] : Offset.Max(_checkpoint.Offset, scanner.IsWholeOutOfPlace ? scanner.OutOfPlaceEnd : scanner.NextOffset);

    // What lies before a noted start was flushed before that was noted, and what follows with it.
    private bool WillBeDropped(int index) => NextBaseOffset(index) <= LogStartOffset;

    private bool NextSegmentIsSound(int index)
    {
        if (index + 1 == _baseOffsets.Length || _baseOffsets[index + 1] < _expected) return false;
        var next = new Segment(_files, _directory, _baseOffsets[index + 1], createdMs: -1);
        var length = LengthOf(next.BaseOffset, SegmentFileNames.LogSuffix);
        using var scanner = new SegmentScanner(next.Log, 0, length, next.BaseOffset);
        var isSound = scanner.MoveNext() && !scanner.IsDamaged;
        next.Close();
        return isSound;
    }

    // The rest of an append that failed, after which the log went on in the next segment.
    private void Trim(Segment segment, SegmentScanner scanner)
    {
        segment.Log.Truncate(scanner.Position);
        HasMended = true;
    }

    private void Cut(Segment segment, SegmentScanner scanner, int length)
    {
        _logger.LogWarning(
            "{File}: {Bytes} bytes at {Position} were never flushed and are no whole record batch ({Reason}); the log is cut there, at offset {Offset}",
            segment.LogPath, length - scanner.Position, scanner.Position, scanner.Reason, segment.NextOffset);
        segment.Log.Truncate(scanner.Position);
        _isCut = HasMended = true;
    }

    private void Refuse(Segment segment, RefusedRange range)
    {
        // What goes in any case may never have reached the disk.
        if (range.To > LogStartOffset) _logger.LogError("{Damage}; nothing is cut off", range);
        segment.Refuse(range);
        HasMended = true;
    }

    private void Delete(Offset baseOffset, int length)
    {
        if (length > 0)
            _logger.LogWarning(
                "{Directory}: the segment of offset {Offset} ({Bytes} bytes) was never flushed and does not follow on what was; it is deleted",
                _directory, baseOffset, length);
        var segment = new Segment(_files, _directory, baseOffset, createdMs: -1);
        segment.Delete();
        HasMended = true;
    }

    // A deletion that was noted and not finished, or that a power failure undid.
    private void DropBeforeStart()
    {
        var dropped = Segments.TakeWhile(segment => segment.NextOffset <= LogStartOffset).ToArray();
        foreach (var segment in dropped)
        {
            Segments.Remove(segment);
            Scanned.RemoveAll(scanned => scanned.Segment == segment);
            segment.Close();
            segment.Delete();
        }

        DropEmptyTail();
    }

    private void DropEmptyTail()
    {
        if (Segments.Count == 0 || Segments[^1].Size > 0) return;
        var empty = Segments[^1];
        Segments.Remove(empty);
        Scanned.RemoveAll(scanned => scanned.Segment == empty);
        empty.Close();
        empty.Delete();
    }

    private void DeleteStrays()
    {
        foreach (var name in _lengths.Keys.Where(static n => n.EndsWith(CheckpointFile.TemporarySuffix, StringComparison.Ordinal)))
            _files.Delete($"{_directory}/{name}");
        foreach (var suffix in (string[])[SegmentFileNames.OffsetIndexSuffix, SegmentFileNames.TimeIndexSuffix])
            foreach (var orphan in BaseOffsets(suffix).Except(_baseOffsets))
                _files.Delete(SegmentFileNames.PathOf(_directory, orphan, suffix));
        foreach (var offset in BaseOffsets(SegmentFileNames.SnapshotSuffix).Except(Snapshots))
            _files.Delete(SegmentFileNames.PathOf(_directory, offset, SegmentFileNames.SnapshotSuffix));
    }

    private IEnumerable<Offset> BaseOffsets(string suffix)
    {
        foreach (var name in _lengths.Keys)
            if (SegmentFileNames.TryParse(name, suffix, out var baseOffset)) yield return baseOffset;
    }

    private Offset NextBaseOffset(int index) =>
        index + 1 < _baseOffsets.Length ? _baseOffsets[index + 1] : new Offset(long.MaxValue);

    // -1 when there is no such file.
    private int LengthOf(Offset baseOffset, string suffix) =>
        _lengths.TryGetValue(SegmentFileNames.NameOf(baseOffset, suffix), out var length) ? checked((int)length) : -1;

    private RecoveryCheckpoint? ReadCheckpoint()
    {
        if (!_lengths.TryGetValue(RecoveryCheckpoint.FileName, out var length)) return null;
        var entry = new LogFileEntry(RecoveryCheckpoint.FileName, length);
        var checkpoint = RecoveryCheckpoint.Parse(CheckpointFile.Read(_files, _directory, entry));
        if (checkpoint is null)
            _logger.LogWarning("{Directory}/{File} is damaged; every segment is read", _directory, entry.Name);
        return checkpoint;
    }

    /// <summary>How far the log was compacted. Where that cannot be read, any of it may have been, and nothing counts as done.</summary>
    public CleanerCheckpoint ReadCleaned(Offset logEndOffset)
    {
        if (!_lengths.ContainsKey(CleanerCheckpoint.FileName)) return CleanerCheckpoint.None;
        if (CleanerCheckpoint.Parse(CheckpointFile.Read(_files, _directory, CleanerCheckpoint.FileName)) is { } cleaned) return cleaned.WithoutFrom(logEndOffset);
        _logger.LogWarning("{Directory}/{File} is damaged; the log is compacted from its start", _directory, CleanerCheckpoint.FileName);
        return new(Offset.Zero, logEndOffset, CleanerCheckpoint.NoHorizon);
    }

    // The epochs of what is read again come from the batches themselves.
    private LeaderEpochs? ReadEpochs()
    {
        if (!_lengths.TryGetValue(LeaderEpochs.FileName, out var length)) return null;
        var entry = new LogFileEntry(LeaderEpochs.FileName, length);
        return LeaderEpochs.Parse(CheckpointFile.Read(_files, _directory, entry));
    }

    private void RebuildEpochs()
    {
        if (Segments.Count == 0) return;
        _logger.LogWarning("{Directory}/{File} is missing or damaged; it is built anew", _directory, LeaderEpochs.FileName);
        Epochs = LeaderEpochs.Empty;
        foreach (var segment in Segments)
        {
            var walker = new BatchWalker(segment, 0, segment.Size, new byte[BatchWalker.BlockSize]);
            while (walker.MoveNext()) Epochs = Epochs.With(walker.Header.PartitionLeaderEpoch, walker.Header.BaseOffset);
        }
    }
}
