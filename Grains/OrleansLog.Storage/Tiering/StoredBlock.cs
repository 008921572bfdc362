using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage.Tiering;

/// <summary>Some parts of a remote segment that follow one another, at hand in memory or in a file. Any thread.</summary>
/// <param name="Segment">Of which segment.</param>
/// <param name="First">The first part.</param>
/// <param name="End">The part after the last.</param>
/// <param name="File">Their batches.</param>
/// <param name="Length">How many bytes.</param>
/// <param name="Table">Some of the batches: offset and position, ascending.</param>
internal sealed record StoredBlock(string Segment, int First, int End, ILogFile File, int Length, (Offset BaseOffset, int Position)[] Table)
{
    // Between two entries of the table; so much is walked to find a batch.
    private const int TableBytes = 16 * 1024;

    private int _wasRead;

    /// <summary>How many bytes were read or fetched in sequence up to its end, as far as is known.</summary>
    public required long RunBytes { get; init; }

    /// <summary>When it was last asked for, on the clock's own count.</summary>
    public long UsedAt { get; set; }

    /// <summary>Notes that somebody reads it; true for the first.</summary>
    public bool NoteReading() => Interlocked.Exchange(ref _wasRead, 1) == 0;

    /// <summary>Makes the table of bytes whose batches are whole and follow one another.</summary>
    /// <exception cref="InvalidDataException">They do not.</exception>
    public static (Offset, int)[] Check(ReadOnlySpan<byte> bytes, Offset from, Offset to, string name)
    {
        var table = new List<(Offset BaseOffset, int Position)>(1 + (bytes.Length / TableBytes));
        var next = from;
        for (var at = 0; at < bytes.Length;)
        {
            if (RecordBatchHeader.TryRead(bytes[at..], out var header) != ErrorCode.None || header.SizeInBytes > bytes.Length - at
                || header.BaseOffset != next || RecordBatch.CheckIntegrity(bytes.Slice(at, header.SizeInBytes)) != ErrorCode.None)
                throw new InvalidDataException($"{name} in the remote store is not what was written there: no sound batch of offset {next} is at {at}.");
            if (table.Count == 0 || at - table[^1].Position >= TableBytes) table.Add((header.BaseOffset, at));
            next = header.NextOffset;
            at += header.SizeInBytes;
        }

        return next == to ? [.. table] : throw new InvalidDataException($"{name} in the remote store ends at offset {next} and should reach to {to}.");
    }

    /// <summary>Whole batches from the one that holds an offset on, as many as fit; the first in any case where that is asked for.</summary>
    public LogSlice Find(Offset from, int bytesMax, bool minOneBatch)
    {
        var start = PositionOf(from);
        var end = start;
        Span<byte> bytes = stackalloc byte[RecordBatchHeader.Size];
        // The table tells most of the way, for what is in between is whole.
        var sure = Table[LastEntry(entry => entry.Position <= (long)start + bytesMax)].Position;
        if (sure > start) end = sure;
        while (end < Length)
        {
            File.ReadExactly(end, bytes);
            RecordBatchHeader.TryRead(bytes, out var header);
            if ((long)end + header.SizeInBytes - start > bytesMax && !(minOneBatch && end == start)) break;
            end += header.SizeInBytes;
        }

        return new LogSlice(File, start, end - start);
    }

    private int PositionOf(Offset offset)
    {
        var at = Table[LastEntry(entry => entry.BaseOffset <= offset)].Position;
        Span<byte> bytes = stackalloc byte[RecordBatchHeader.Size];
        while (true)
        {
            File.ReadExactly(at, bytes);
            RecordBatchHeader.TryRead(bytes, out var header);
            if (header.NextOffset > offset) return at;
            at += header.SizeInBytes;
        }
    }

    // The last entry for which something holds that holds for all before it; the first one if for none.
    private int LastEntry(Predicate<(Offset BaseOffset, int Position)> holds)
    {
        int low = 0, high = Table.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (holds(Table[middle])) low = middle + 1;
            else high = middle;
        }

        return Math.Max(0, low - 1);
    }
}
