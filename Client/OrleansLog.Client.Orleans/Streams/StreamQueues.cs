using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Streams;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Orleans.Streams;

/// <summary>A queue for each partition, whose number is the queue's. A stream is where Kafka's clients put its key.</summary>
internal sealed class StreamQueues(string topic, int partitionCount) : IConsistentRingStreamQueueMapper
{
    private readonly HashRingBasedStreamQueueMapper _ring = new(new HashRingStreamQueueMapperOptions { TotalQueueCount = partitionCount }, topic);

    public IEnumerable<QueueId> GetAllQueues() => _ring.GetAllQueues();

    public IEnumerable<QueueId> GetQueuesForRange(IRingRange range) => _ring.GetQueuesForRange(range);

    public QueueId GetQueueForStream(StreamId streamId)
    {
        var partition = PartitionOf(StreamRecord.KeyOf(streamId));
        return _ring.GetAllQueues().First(queue => queue.GetNumericId() == partition);
    }

    /// <summary>The partition of a record's key.</summary>
    public int PartitionOf(ReadOnlySpan<byte> key) => Murmur2.PartitionFor(key, partitionCount);
}
