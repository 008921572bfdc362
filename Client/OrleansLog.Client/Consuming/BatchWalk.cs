using System.Buffers.Binary;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client.Consuming;

/// <summary>Finds the ends of batches that lie one after another, without looking into them.</summary>
internal static class BatchWalk
{
    private const int LengthAt = 8;
    private const int MagicAt = 16;

    /// <summary>How many bytes the whole batches take; what follows was cut off by the broker.</summary>
    /// <param name="records">The bytes of a fetched partition.</param>
    /// <param name="nextOffset">The offset after the last whole batch.</param>
    public static int WholeBytes(ReadOnlySpan<byte> records, out Offset nextOffset)
    {
        nextOffset = Offset.None;
        int end = 0, last = 0;
        while (records.Length - end >= RecordBatchHeader.Size)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(records[(end + LengthAt)..]);
            if (length < RecordBatchHeader.Size - RecordBatchHeader.LengthPrefixSize || length > records.Length - end - RecordBatchHeader.LengthPrefixSize) break;
            last = end;
            end += length + RecordBatchHeader.LengthPrefixSize;
        }
        if (end > 0 && RecordBatchHeader.TryRead(records[last..], out var header) == ErrorCode.None) nextOffset = header.NextOffset;
        return nextOffset == Offset.None ? 0 : end;
    }

    /// <summary>Whether these are message sets of Kafka before 0.11.</summary>
    public static bool IsOldFormat(ReadOnlySpan<byte> records) => records.Length > MagicAt && records[MagicAt] is 0 or 1;
}
