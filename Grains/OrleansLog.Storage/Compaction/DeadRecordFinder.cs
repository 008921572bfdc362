using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage.Compaction;

/// <summary>
/// Tells which records of a log are not the last of their key, reading it from its end: a key that was seen before is dead, so
/// that nothing has to be kept of it but that it was seen. What was compacted already holds each key once, and is only asked
/// whether it came again. Where there is no memory for all keys they are taken in parts, and the log is read once for each
/// (which costs less than to rewrite it once for each). One caller.
/// </summary>
/// <param name="source">The log.</param>
/// <param name="tools">What to work with.</param>
/// <param name="decoder">Takes batches apart.</param>
/// <param name="keys">The memory.</param>
internal sealed class DeadRecordFinder(CompactionSource source, CompactionTools tools, BatchDecoder decoder, KeySet keys)
{
    private const int PieceBytesMax = 1 << 20;
    private const int PieceBytesMin = 256;

    // A part is expected to fill the memory up to here.
    private const double FillWanted = 0.95;
    private const double All = 1;

    // The keys of a piece take no more than those of the log.
    private readonly int _pieceBytes = (int)Math.Clamp(tools.KeyBytesMax / 16, PieceBytesMin, PieceBytesMax);
    private readonly AbortedRecords _aborted = new(source.Aborted);
    private KeyHash[] _hashes = new KeyHash[1024];
    private int _count;
    private int _countClean;
    private long _countTaken;

    /// <summary>What was found.</summary>
    public DeadRecords Dead { get; private set; } = new();

    /// <summary>
    /// Looks at what was not compacted before, up to an offset. False when there is no room for its keys. Afterwards the memory
    /// holds them, to be asked for those of the rest.
    /// </summary>
    public Task<bool> TryFindAsync(Offset end)
    {
        Dead = new();
        return TryFindAsync(from: 0, to: All, end, isWhole: false);
    }

    /// <summary>Looks at everything up to an offset, after <see cref="TryFindAsync(Offset)"/> had no room for that.</summary>
    public async Task FindInPartsAsync(Offset end)
    {
        Dead = new();
        // Were all keys as many as those so far, a part would be half of that. Mostly some come again.
        var width = Math.Min(0.5, 2.0 * _countTaken / Math.Max(1, end - source.FirstDirty) * FillWanted);
        for (var from = 0.0; from < All;)
        {
            var to = Math.Min(All, from + width);
            if (!await TryFindAsync(from, to, end, isWhole: true))
            {
                // What is dead by then is dead all the same.
                width /= 2;
                continue;
            }

            // As dense as these the others are.
            width = keys.CountMax * FillWanted * (to - from) / Math.Max(1, keys.Count);
            from = to;
        }
    }

    private async Task<bool> TryFindAsync(double from, double to, Offset end, bool isWhole)
    {
        keys.Clear();
        _countTaken = 0;
        var (lowest, highest) = (HashAt(from), HashAt(to));
        var number = 0;
        foreach (var piece in SegmentPiece.Backwards(source.Segments, _pieceBytes))
        {
            if (!isWhole && piece.NextOffset <= source.FirstDirty) break;
            var dead = Dead.PieceAt(number++, piece.BaseOffset);
            if (piece.BaseOffset >= end) continue;
            Read(piece, end);
            if (!Take(dead, lowest, highest)) return false;
            await tools.Pace(piece.End - piece.Start);
        }

        return true;
    }

    private static ulong HashAt(double share) => share >= All ? ulong.MaxValue : (ulong)(share * ulong.MaxValue);

    /// <exception cref="DamagedSegmentException">Something there is no sound batch.</exception>
    private void Read(in SegmentPiece piece, Offset end)
    {
        (_count, _countClean) = (0, 0);
        using var scanner = new SegmentScanner(piece.Segment.Log, piece.Start, piece.End, piece.BaseOffset, piece.Segment.KnownEpochs, piece.NextOffset);
        while (scanner.MoveNext())
        {
            if (scanner.IsDamaged) throw new DamagedSegmentException(piece.Segment, scanner.Damage(piece.Segment.LogPath, piece.NextOffset));
            var header = scanner.Header;
            if (IsLookedAt(header, end) && decoder.TryDecode(header, scanner.Batch, out _)) Note(header, end);
        }

        if (scanner.NextOffset != piece.NextOffset)
            throw new StorageException($"{piece.Segment.LogPath} has offset {scanner.NextOffset} where {piece.NextOffset} was due");
    }

    // Those whose records the filter asks for.
    private bool IsLookedAt(in RecordBatchHeader header, Offset end) =>
        header.NextOffset > source.Start && header.BaseOffset < end && header.RecordCount > 0 && !header.IsControl && !_aborted.Contains(header);

    private void Note(in RecordBatchHeader header, Offset end)
    {
        var places = decoder.Places;
        if (_hashes.Length < _count + places.Length) Array.Resize(ref _hashes, Math.Max(2 * _hashes.Length, _count + places.Length));
        foreach (ref readonly var place in places)
        {
            var offset = header.BaseOffset + place.OffsetDelta;
            _hashes[_count++] = offset < end ? place.Key : default;
            if (offset < source.FirstDirty) _countClean = _count;
        }
    }

    private bool Take(DeadRecords.Piece dead, ulong lowest, ulong highest)
    {
        for (var i = _count - 1; i >= 0; i--)
        {
            if (i >= KeySet.Ahead && IsIn(_hashes[i - KeySet.Ahead], lowest, highest)) keys.Prefetch(_hashes[i - KeySet.Ahead]);
            var key = _hashes[i];
            if (!IsIn(key, lowest, highest)) continue;
            var added = i < _countClean ? AskFor(key) : keys.Add(key);
            if (added == KeyAddition.NoRoom) return false;
            if (added == KeyAddition.Known) dead.Add(i, _count);
            _countTaken++;
        }

        return true;
    }

    private KeyAddition AskFor(KeyHash key) => keys.Contains(key) ? KeyAddition.Known : KeyAddition.New;

    // A record without a key has no hash either.
    private static bool IsIn(KeyHash key, ulong lowest, ulong highest) =>
        key.Fingerprint >= lowest && (key.Fingerprint < highest || highest == ulong.MaxValue) && key != default;
}
