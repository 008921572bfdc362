using System.Buffers.Binary;
using OrleansLog.Protocol;

namespace OrleansLog.Storage.Tiering;

/// <summary>One part of a remote segment, of whole batches: what is fetched at once.</summary>
/// <param name="BaseOffset">The first offset in it.</param>
/// <param name="Position">Where it begins in the segment.</param>
/// <param name="MaxTimestampMs">The latest timestamp of its records, -1 when none has one.</param>
public readonly record struct RemoteChunk(Offset BaseOffset, int Position, long MaxTimestampMs);

/// <summary>
/// Where the parts of a remote segment begin: about one a mebibyte, so that what is fetched is large and the index small.
/// Immutable.
/// </summary>
public sealed class RemoteIndex(IReadOnlyList<RemoteChunk> chunks)
{
    private const int EntryBytes = sizeof(long) + sizeof(int) + sizeof(long);

    public IReadOnlyList<RemoteChunk> Chunks => chunks;

    /// <summary>The number of the part that an offset lies in; 0 for one before the segment.</summary>
    public int NumberOf(Offset offset)
    {
        int low = 0, high = chunks.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (chunks[middle].BaseOffset <= offset) low = middle + 1;
            else high = middle;
        }

        return Math.Max(0, low - 1);
    }

    /// <summary>How many bytes of the segment the parts from one up to another have.</summary>
    public int BytesOf(RemoteSegment segment, int first, int end) => PositionOf(segment, end) - PositionOf(segment, first);

    /// <summary>Where a part begins in the segment; its end for the part after the last.</summary>
    public int PositionOf(RemoteSegment segment, int number) => number < chunks.Count ? chunks[number].Position : segment.SizeInBytes;

    /// <summary>The first offset of a part; the one after the segment for the part after the last.</summary>
    public Offset OffsetOf(RemoteSegment segment, int number) => number < chunks.Count ? chunks[number].BaseOffset : segment.NextOffset;

    public byte[] Encode()
    {
        var bytes = new byte[chunks.Count * EntryBytes];
        for (var i = 0; i < chunks.Count; i++)
        {
            var entry = bytes.AsSpan(i * EntryBytes, EntryBytes);
            BinaryPrimitives.WriteInt64BigEndian(entry, chunks[i].BaseOffset.Value);
            BinaryPrimitives.WriteInt32BigEndian(entry[sizeof(long)..], chunks[i].Position);
            BinaryPrimitives.WriteInt64BigEndian(entry[(sizeof(long) + sizeof(int))..], chunks[i].MaxTimestampMs);
        }

        return bytes;
    }

    /// <summary>Null when the bytes are not the index of this segment.</summary>
    public static RemoteIndex? Parse(ReadOnlySpan<byte> bytes, RemoteSegment segment)
    {
        if (bytes.Length == 0 || bytes.Length % EntryBytes != 0 || Crc32C.Compute(bytes) != segment.IndexCrc) return null;
        var chunks = new RemoteChunk[bytes.Length / EntryBytes];
        for (var i = 0; i < chunks.Length; i++)
        {
            var entry = bytes.Slice(i * EntryBytes, EntryBytes);
            chunks[i] = new(
                new(BinaryPrimitives.ReadInt64BigEndian(entry)),
                BinaryPrimitives.ReadInt32BigEndian(entry[sizeof(long)..]),
                BinaryPrimitives.ReadInt64BigEndian(entry[(sizeof(long) + sizeof(int))..]));
        }

        return new RemoteIndex(chunks);
    }
}
