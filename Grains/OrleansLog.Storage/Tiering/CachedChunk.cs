using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage.Tiering;

/// <summary>One part of a remote segment in a file of the cache.</summary>
/// <param name="Key">Which one.</param>
/// <param name="File">Its batches.</param>
/// <param name="Length">How many bytes.</param>
/// <param name="Table">Some of the batches: offset and position, ascending.</param>
internal sealed record CachedChunk((string Segment, int Number) Key, ILogFile File, int Length, (Offset BaseOffset, int Position)[] Table)
{
    // Between two entries of the table; so much is walked to find a batch.
    private const int TableBytes = 16 * 1024;

    /// <summary>Makes the table of a part whose batches are whole and follow one another.</summary>
    /// <exception cref="InvalidDataException">They do not.</exception>
    public static (Offset, int)[] Check(ReadOnlySpan<byte> bytes, Offset from, Offset to, string name)
    {
        var table = new List<(Offset BaseOffset, int Position)>();
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
        var sure = Table.LastOrDefault(entry => entry.Position > start && entry.Position <= (long)start + bytesMax).Position;
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
        var at = Table.LastOrDefault(entry => entry.BaseOffset <= offset, Table[0]).Position;
        Span<byte> bytes = stackalloc byte[RecordBatchHeader.Size];
        while (true)
        {
            File.ReadExactly(at, bytes);
            RecordBatchHeader.TryRead(bytes, out var header);
            if (header.NextOffset > offset) return at;
            at += header.SizeInBytes;
        }
    }
}
