using System.Buffers;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage;

/// <summary>
/// Reads part of a segment from front to back and tells whole, undamaged batches from everything else: first a batch
/// must be where it is expected, with the offset that is due and a CRC that holds; where none is, the next such batch
/// further on ends the damage. The CRC of a batch covers neither its offset nor its leader epoch: what is known otherwise,
/// and what stands in the batches around, must agree with those. One user at a time; disposing gives the buffer back.
/// </summary>
/// <param name="file">The segment's log file.</param>
/// <param name="position">Where a batch should begin.</param>
/// <param name="end">Where to stop.</param>
/// <param name="expected">The offset due there.</param>
/// <param name="epochs">What is known of the leader epochs; none where only their order is.</param>
/// <param name="endOffset">The offset due at <paramref name="end"/>; null where that is to be found out.</param>
internal sealed class SegmentScanner(
    ILogFile file, int position, int end, Offset expected, Func<Offset, LeaderEpoch>? epochs = null, Offset? endOffset = null) : IDisposable
{
    private const int WindowBytes = 256 * 1024;

    // A disk writes whole sectors. Fewer zeros than this at the edge of one prove nothing, unless they stand where the
    // offset of a batch should.
    private const int SectorBytes = 512;
    private const int ZerosMin = 16;
    private const int MagicAt = 16;
    private const int CrcCoversFrom = 21;

    private byte[] _window = ArrayPool<byte>.Shared.Rent(WindowBytes);
    private int _windowPosition;
    private int _windowLength;
    private LeaderEpoch _epoch = LeaderEpoch.None;

    /// <summary>Where what <see cref="MoveNext"/> found begins.</summary>
    public int Position { get; private set; }

    /// <summary>Where it ends.</summary>
    public int NextPosition { get; private set; } = position;

    /// <summary>The offset due at <see cref="NextPosition"/>; after damage, the one that is there.</summary>
    public Offset NextOffset { get; private set; } = expected;

    /// <summary>The batch, if <see cref="IsDamaged"/> is false.</summary>
    public RecordBatchHeader Header { get; private set; }

    /// <summary>The bytes of the batch, until the next move.</summary>
    public ReadOnlySpan<byte> Batch => Window(Position, Header.SizeInBytes);

    /// <summary>Whether the bytes are no batch.</summary>
    public bool IsDamaged => Reason is not null;

    public string? Reason { get; private set; }

    /// <summary>
    /// Whether the damage is one batch whose CRC holds, with an offset or an epoch that cannot be: it was written whole, so
    /// that it may have been flushed.
    /// </summary>
    public bool IsWholeOutOfPlace { get; private set; }

    /// <summary>The offset after a batch that is <see cref="IsWholeOutOfPlace"/>.</summary>
    public Offset OutOfPlaceEnd { get; private set; }

    /// <summary>Whether a good batch follows the damage.</summary>
    public bool IsFollowed => NextPosition < end;

    /// <summary>The first offset that the damage hides.</summary>
    private Offset DamagedFrom { get; set; }

    public bool MoveNext()
    {
        if (NextPosition >= end) return false;
        Position = NextPosition;
        Reason = Examine(Position, out var header);
        IsWholeOutOfPlace = IsDamaged && header.SizeInBytes >= RecordBatchHeader.Size && header.SizeInBytes <= end - Position && IsWhole(Position, header);
        if (IsWholeOutOfPlace) OutOfPlaceEnd = NextOffset + header.LastOffsetDelta + 1L;
        if (IsDamaged) Resynchronise(header);
        else Accept(header);
        return true;
    }

    /// <summary>The damage, which hides offsets up to the next good batch or, failing that, to <paramref name="endOffset"/>.</summary>
    public RefusedRange Damage(string path, Offset endOffset) => new(
        path, Position, NextPosition - Position, DamagedFrom, IsFollowed ? NextOffset : endOffset, Reason ?? "");

    /// <summary>
    /// Whether part of the damage was never written: a disk sector, as far as it belongs to the log, is all zeros, or the
    /// file ends amid a batch. A flush would have written it, so nothing from there on was ever flushed.
    /// </summary>
    public bool IsPartlyUnwritten() => IsWholeOutOfPlace ? HasUnwrittenOffset() : IsCutShort() || HasUnwrittenSector();

    // The zeros that the CRC covers are the batch's own. So are all but the offset: a sector may end right behind it.
    private bool HasUnwrittenOffset()
    {
        var unwritten = SectorEnd(Position) - Position;
        return DamagedFrom > Offset.Zero && unwritten is >= sizeof(long) and < CrcCoversFrom && !Window(Position, unwritten).ContainsAnyExcept((byte)0);
    }

    // Not so when the CRC holds up to the end of the file: then it is the length that is wrong.
    private bool IsCutShort()
    {
        var rest = end - Position;
        if (IsFollowed || rest < RecordBatchHeader.Size) return !IsFollowed;
        var isRead = RecordBatchHeader.TryRead(Window(Position, RecordBatchHeader.Size), out var header) == ErrorCode.None;
        return isRead && header.SizeInBytes > rest && Crc32C.Compute(Window(Position, rest)[CrcCoversFrom..]) != header.Crc;
    }

    private bool HasUnwrittenSector()
    {
        for (var from = Position; from < NextPosition;)
        {
            var to = Math.Min(end, SectorEnd(from));
            var zerosMin = from == Position && DamagedFrom > Offset.Zero ? sizeof(long) : ZerosMin;
            if (to - from >= zerosMin && !Window(from, to - from).ContainsAnyExcept((byte)0)) return true;
            from = to;
        }

        return false;
    }

    private static int SectorEnd(int at) => (at / SectorBytes + 1) * SectorBytes;

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_window);
        _window = [];
    }

    private void Accept(in RecordBatchHeader header)
    {
        Header = header;
        _epoch = header.PartitionLeaderEpoch;
        NextPosition = Position + header.SizeInBytes;
        NextOffset = header.NextOffset;
    }

    private string? Examine(int at, out RecordBatchHeader header)
    {
        if (RecordBatchHeader.TryRead(Window(at, RecordBatchHeader.Size), out header) != ErrorCode.None)
            return "no record batch begins here";
        if (header.SizeInBytes > end - at) return "a record batch reaches beyond the end of the file";
        if (header.BaseOffset != NextOffset) return $"a record batch has offset {header.BaseOffset} where {NextOffset} is due";
        if (!IsWhole(at, header)) return "the CRC of a record batch does not match";
        return HasItsEpoch(at, header) ? null : $"a record batch has leader epoch {header.PartitionLeaderEpoch}, which cannot be at its offset";
    }

    // Epochs only grow. A batch that is out of line with both of its neighbours is the one that is wrong. What is known is
    // asked for its last record, for the log may start amid it.
    private bool HasItsEpoch(int at, in RecordBatchHeader header)
    {
        var epoch = header.PartitionLeaderEpoch;
        if (epochs is not null) return epochs(header.NextOffset + -1) is var known && (known == LeaderEpoch.None || known == epoch);
        if (epoch < _epoch) return false;
        return !Continues(at, header, out var next) || next.PartitionLeaderEpoch >= epoch || next.PartitionLeaderEpoch < _epoch;
    }

    // Whether the batch that follows goes on where this one ends.
    private bool Continues(int at, in RecordBatchHeader header, out RecordBatchHeader next)
    {
        var follows = at + header.SizeInBytes;
        next = default;
        return follows <= end - RecordBatchHeader.Size
            && RecordBatchHeader.TryRead(Window(follows, RecordBatchHeader.Size), out next) == ErrorCode.None
            && next.BaseOffset == header.NextOffset;
    }

    // The length may be sound though other bytes are not: then the next batch is where it says.
    private void Resynchronise(in RecordBatchHeader damaged)
    {
        DamagedFrom = NextOffset;
        var hint = damaged.SizeInBytes > RecordBatchHeader.Size ? Position + (long)damaged.SizeInBytes : end;
        if (hint < end && TryResumeAt((int)hint, damaged)) return;
        NextPosition = end;
        for (var at = Position + 1; at <= end - RecordBatchHeader.Size; at++)
        {
            at = NextCandidate(at);
            if (at <= end - RecordBatchHeader.Size && TryResumeAt(at, damaged)) return;
        }
    }

    private int NextCandidate(int at)
    {
        while (at <= end - RecordBatchHeader.Size)
        {
            var bytes = RestOfWindow(at);
            var magic = bytes[MagicAt..].IndexOf((byte)RecordBatchHeader.CurrentMagic);
            if (magic >= 0) return at + magic;
            at += bytes.Length - MagicAt;
        }

        return end;
    }

    // Damage hides at least one record: a batch that claims to be the one that is damaged is somewhere else's.
    private bool TryResumeAt(int at, in RecordBatchHeader damaged)
    {
        if (RecordBatchHeader.TryRead(Window(at, RecordBatchHeader.Size), out var header) != ErrorCode.None) return false;
        var isPlausible = header.SizeInBytes <= end - at
            && header.BaseOffset > NextOffset && header.BaseOffset - NextOffset <= int.MaxValue
            && header.RecordCount >= 0 && header.LastOffsetDelta >= Math.Max(0, header.RecordCount - 1);
        if (!isPlausible || !IsWhole(at, header) || !HasItsOffset(at, header, damaged)) return false;
        NextPosition = at;
        NextOffset = header.BaseOffset;
        return true;
    }

    // A second witness for an offset after damage, lest a batch that was written to the wrong place be taken for the next:
    // the batch that follows it, or the one before, if its header is sound. For the last one it is the offset due at the
    // end; where nobody knows that, it needs none.
    private bool HasItsOffset(int at, in RecordBatchHeader header, in RecordBatchHeader damaged)
    {
        if (endOffset is { } due && header.NextOffset > due) return false;
        var isLast = at + header.SizeInBytes > end - RecordBatchHeader.Size;
        if (isLast ? (endOffset ?? header.NextOffset) == header.NextOffset : Continues(at, header, out var next) && IsWholeWithin(at + header.SizeInBytes, next)) return true;
        return damaged.BaseOffset == DamagedFrom && damaged.NextOffset == header.BaseOffset && Position + (long)damaged.SizeInBytes == at;
    }

    private bool IsWholeWithin(int at, in RecordBatchHeader header) => header.SizeInBytes <= end - at && IsWhole(at, header);

    private bool IsWhole(int at, in RecordBatchHeader header) =>
        header.LastOffsetDelta >= 0 && RecordBatch.CheckIntegrity(Window(at, header.SizeInBytes)) == ErrorCode.None;

    // At least as much as a header.
    private ReadOnlySpan<byte> RestOfWindow(int at)
    {
        Window(at, RecordBatchHeader.Size);
        return _window.AsSpan((at - _windowPosition).._windowLength);
    }

    // Fewer bytes than asked for only at the end.
    private ReadOnlySpan<byte> Window(int at, int length)
    {
        length = Math.Min(length, end - at);
        if (at < _windowPosition || at + length > _windowPosition + _windowLength) Fill(at, length);
        var start = at - _windowPosition;
        return _window.AsSpan(start, Math.Max(0, Math.Min(length, _windowLength - start)));
    }

    private void Fill(int at, int length)
    {
        if (length > _window.Length)
        {
            ArrayPool<byte>.Shared.Return(_window);
            _window = ArrayPool<byte>.Shared.Rent(length);
        }

        _windowPosition = at;
        _windowLength = file.ReadFully(at, _window.AsSpan(0, Math.Min(_window.Length, end - at)));
    }
}
