using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OrleansLog.Broker.Partitions;
using OrleansLog.Coordination;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Groups;

/// <summary>
/// A partition of an internal topic as its coordinator in one leadership sees it. Records are written in batches of this code's
/// own making, uncompressed, so reading them back needs no codec.
/// </summary>
internal sealed class OffsetsPartition(Partition partition, LeaderEpoch epoch, TimeProvider time) : IPartitionWriter, IPartitionReader
{
    private const int ReadBytes = 1 << 20;
    private const int FramingBytes = 4096;

    public int MaxBatchBytes => partition.Settings.BatchBytesMax - FramingBytes;

    public ValueTask<PartitionAppend> AppendAsync(IReadOnlyList<CoordinatorRecord> records, TransactionWrite? transaction = null)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (transaction?.Marker is { } marker)
            return new(Append(marker.Encode(now), 1, new() { MarkerHasNewEpoch = transaction.MarkerHasNewEpoch }));
        using var builder = new RecordBatchBuilder(partition.Settings.BatchBytesMax);
        if (transaction is not null)
            (builder.IsTransactional, builder.ProducerId, builder.ProducerEpoch) = (true, transaction.ProducerId, transaction.ProducerEpoch);
        foreach (var record in records)
        {
            if (!builder.TryAppend(now, record.Key.Span, keyIsNull: false, record.Value.GetValueOrDefault().Span, record.Value is null, []))
                return new(PartitionAppend.Refused(ErrorCode.MessageTooLarge));
        }
        // Appending assigns the offsets in place, in memory that belongs to the builder and so to us.
        return new(Append(MemoryMarshal.AsMemory(builder.Build()), records.Count, new() { VerifiedAt = transaction?.Verified?.AskedAt, VerifiedBy = transaction?.Verified?.CoordinatorEpoch }));
    }

    private PartitionAppend Append(Memory<byte> batch, int records, TransactionCheck check)
    {
        var outcome = partition.AppendOwn(batch, epoch, check);
        return outcome.Error == ErrorCode.None
            ? new PartitionAppend(ErrorCode.None, outcome.BaseOffset + (records - 1), outcome.Done)
            : PartitionAppend.Refused(outcome.Error);
    }

    public async IAsyncEnumerable<LoadedBatch> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await KnowHighWatermarkAsync(cancellation);
        var end = partition.HighWatermark;
        var next = partition.Log.LogStartOffset;
        while (next < end)
        {
            cancellation.ThrowIfCancellationRequested();
            var batches = Decode(Read(next), ref next);
            foreach (var batch in batches)
                yield return batch;
            await Task.Yield();
        }
    }

    /// <summary>What earlier leaders committed is there, but a new one learns only from its followers how far that goes.</summary>
    private async Task KnowHighWatermarkAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var wait = new FetchWait();
            partition.Add(wait);
            if (partition.LeaderEpoch != epoch)
                throw new OperationCanceledException($"{partition.Id} is led in another epoch.");
            if (partition.KnowsHighWatermark)
                return;
            using var giving = cancellation.UnsafeRegister(static wait => ((FetchWait)wait!).TrySetCanceled(), wait);
            await wait.Task;
        }
    }

    private byte[] Read(Offset from)
    {
        var read = partition.Read(from, ReadBytes, minOneBatch: true, epoch, mayFollow: false);
        var slice = read.Log.Slice;
        if (read.Error != ErrorCode.None || slice.IsEmpty)
            throw new StorageException($"{partition.Id} cannot be read at offset {from}: {read.Log.Refused?.ToString() ?? read.Error.ToString()}.");
        var bytes = new byte[slice.Length];
        slice.Read(bytes);
        return bytes;
    }

    private static List<LoadedBatch> Decode(byte[] bytes, ref Offset next)
    {
        var batches = new List<LoadedBatch>();
        for (var at = 0; at < bytes.Length;)
        {
            RecordBatchHeader.TryRead(bytes.AsSpan(at), out var header);
            batches.Add(new LoadedBatch(header.BaseOffset, DecodeRecords(header, bytes.AsSpan(at, header.SizeInBytes)))
            {
                Transaction = DecodeTransaction(header, bytes.AsSpan(at, header.SizeInBytes)),
            });
            next = header.NextOffset;
            at += header.SizeInBytes;
        }
        return batches;
    }

    private static TransactionWrite? DecodeTransaction(in RecordBatchHeader header, ReadOnlySpan<byte> batch) =>
        EndTransactionMarker.TryRead(batch, out var marker) ? new(header.ProducerId, header.ProducerEpoch) { Marker = marker }
        : header.IsTransactional ? new(header.ProducerId, header.ProducerEpoch)
        : null;

    private static List<CoordinatorRecord> DecodeRecords(in RecordBatchHeader header, ReadOnlySpan<byte> batch)
    {
        var records = new List<CoordinatorRecord>(header.RecordCount);
        var reader = new RecordReader(header, batch[RecordBatchHeader.Size..]);
        while (reader.TryRead(out var record))
            records.Add(new CoordinatorRecord(record.Key.ToArray(), record.ValueIsNull ? null : record.Value.ToArray()));
        return records;
    }
}
