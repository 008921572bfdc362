using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Serialization;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client.Orleans.Streams;

/// <summary>Reads one partition of a topic, from any offset. Any thread.</summary>
/// <param name="log">The log.</param>
/// <param name="partition">What to read.</param>
/// <param name="serializer">For the events.</param>
/// <param name="logger">Where to log.</param>
internal sealed class StreamSource(OrleansLogClient log, TopicPartition partition, Serializer serializer, ILogger logger)
{
    private const int FetchBytes = 256 * 1024;
    private const int PieceBytes = 256 * 1024;
    private const int PiecesAtOnceMax = 4;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    // Each piece in flight holds a fetch or two; those who wait for their turn hold nothing.
    private SemaphoreSlim Turns { get; } = new(PiecesAtOnceMax);

    public TopicPartition Partition => partition;

    /// <summary>Reads events as they come, without end; from the oldest that is left where the offset is older.</summary>
    /// <exception cref="OrleansLogException">Reading failed; another attempt may succeed.</exception>
    public async IAsyncEnumerable<(List<LogBatch> Batches, long Next)> ReadAsync(long from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var consumer = Open(from);
        await foreach (var fetched in consumer.ConsumeBatchesAsync(cancellationToken)) yield return (Unpack(fetched), fetched.NextOffset.Value);
    }

    /// <summary>Reads a piece of one stream: as much as is there before the limit, or as is good to have in memory at once.</summary>
    /// <param name="key">The stream's key.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="from">The first offset to look at.</param>
    /// <param name="limit">The offset to stop before; the partition has been read so far before.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The events, and the offset to go on from.</returns>
    public async Task<(List<LogBatch> Batches, long Next)> ReadPieceAsync(
        byte[] key, StreamId stream, long from, long limit, CancellationToken cancellationToken)
    {
        await Turns.WaitAsync(cancellationToken);
        try
        {
            while (true)
            {
                try
                {
                    return await TryReadPieceAsync(key, stream, from, limit, cancellationToken);
                }
                catch (Exception failed) when (failed is not OperationCanceledException)
                {
                    await PauseAsync(failed, cancellationToken);
                }
            }
        }
        finally
        {
            Turns.Release();
        }
    }

    /// <summary>Tells of a failure and waits before another attempt.</summary>
    public Task PauseAsync(Exception failed, CancellationToken cancellationToken)
    {
        logger.LogWarning(failed, "Events of {Partition} cannot be read; trying again.", partition);
        return Task.Delay(RetryDelay, cancellationToken);
    }

    private async Task<(List<LogBatch>, long)> TryReadPieceAsync(byte[] key, StreamId stream, long from, long limit, CancellationToken cancellationToken)
    {
        List<LogBatch> found = [];
        var next = from;
        var size = 0;
        await using var consumer = Open(from);
        await foreach (var fetched in consumer.ConsumeBatchesAsync(cancellationToken))
        {
            if (fetched.BaseOffset.Value > next)
                logger.LogWarning("A subscription asked for {Partition} from offset {From}; the log begins at {Begin} now.", partition, next, fetched.BaseOffset);
            size += Collect(fetched, key, stream, limit, found);
            next = Math.Min(fetched.NextOffset.Value, limit);
            if (next >= limit || size >= PieceBytes) break;
        }
        return (found, next);
    }

    private Consumer Open(long from)
    {
        var consumer = log.CreateConsumer(new ConsumerOptions
        {
            OffsetReset = OffsetReset.Earliest,
            FetchBytesMax = FetchBytes,
            PartitionFetchBytesMax = FetchBytes,
            PrefetchBytesMax = FetchBytes,
        });
        consumer.Assign([new TopicPartitionOffset(partition, new Offset(from))]);
        return consumer;
    }

    private List<LogBatch> Unpack(FetchedBatch fetched)
    {
        List<LogBatch> batches = [];
        foreach (var record in fetched)
        {
            if (StreamRecord.TryReadStream(record.Key, out var stream)) batches.Add(StreamRecord.Read(record, stream, serializer));
        }
        return batches;
    }

    private int Collect(FetchedBatch fetched, byte[] key, StreamId stream, long limit, List<LogBatch> found)
    {
        var size = 0;
        foreach (var record in fetched)
        {
            if (record.Offset.Value >= limit) break;
            if (!record.Key.SequenceEqual(key)) continue;
            found.Add(StreamRecord.Read(record, stream, serializer));
            size += found[^1].SizeInBytes;
        }
        return size;
    }
}
