using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Shares;

/// <summary>The batches of a slice of a log: where each lies, and whether its records are for members of share groups.</summary>
internal sealed class SliceBatches
{
    private const int WindowBytes = 16 << 10;

    private readonly LogSlice _slice;
    private readonly List<(ReadBatch Batch, int Position, int Length)> _batches = [];

    private SliceBatches(LogSlice slice) => _slice = slice;

    public ReadBatch[] All => [.. _batches.Select(each => each.Batch)];

    /// <summary>Reads the headers of the batches.</summary>
    /// <param name="slice">Whole batches.</param>
    /// <param name="aborted">The transactions whose records do not count; none where all are read.</param>
    /// <exception cref="StorageException">The file could not be read.</exception>
    public static SliceBatches Read(LogSlice slice, IReadOnlyList<AbortedTransaction> aborted)
    {
        var batches = new SliceBatches(slice);
        var window = new byte[Math.Min(WindowBytes, slice.Length)];
        var windowAt = 0;
        slice.Read(window);
        for (var at = 0; at + RecordBatchHeader.Size <= slice.Length;)
        {
            if (at + RecordBatchHeader.Size > windowAt + window.Length)
            {
                windowAt = at;
                new LogSlice(slice.File, slice.Position + at, slice.Length - at).Read(window);
            }
            if (RecordBatchHeader.TryRead(window.AsSpan(at - windowAt), out var header) != ErrorCode.None)
                throw new StorageException($"What lies at {slice.Position + at} is no record batch.");
            batches._batches.Add((new(header.BaseOffset, header.LastOffset, IsDelivered(header, aborted)), at, header.SizeInBytes));
            at += header.SizeInBytes;
        }
        return batches;
    }

    /// <summary>The part of the slice with the batches of some offsets, both ends in it.</summary>
    public LogSlice Narrow(Offset first, Offset last)
    {
        var from = _batches.FindIndex(each => each.Batch.Last >= first);
        var to = _batches.FindLastIndex(each => each.Batch.First <= last);
        var position = _batches[from].Position;
        return new(_slice.File, _slice.Position + position, _batches[to].Position + _batches[to].Length - position);
    }

    private static bool IsDelivered(in RecordBatchHeader header, IReadOnlyList<AbortedTransaction> aborted)
    {
        if (header.IsControl)
            return false;
        if (!header.IsTransactional)
            return true;
        foreach (var transaction in aborted)
        {
            if (transaction.ProducerId == header.ProducerId && transaction.First <= header.BaseOffset && header.BaseOffset < transaction.Marker)
                return false;
        }
        return true;
    }
}
