using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Topics;
using OrleansLog.Coordination;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Records;
using static OrleansLog.Protocol.Messages.WriteTxnMarkersResponse;

namespace OrleansLog.Broker.Transactions;

/// <summary>Writes the ends of transactions into the partitions that this broker leads; answers when they are committed.</summary>
internal sealed class PartitionMarkers(PartitionTable partitions, GroupCoordinator groups, Func<TopicPartition, ErrorCode> whyNotLed, TimeProvider time)
{
    private const sbyte FirstVersionWithNewEpochs = 2;

    public async Task<WriteTxnMarkersResponse> WriteAsync(WriteTxnMarkersRequest request) =>
        new() { Markers = [.. await Task.WhenAll(request.Markers.Select(WriteAsync))] };

    private async Task<WritableTxnMarkerResult> WriteAsync(WriteTxnMarkersRequest.WritableTxnMarker asked)
    {
        var marker = new EndTransactionMarker(asked.ProducerId, asked.ProducerEpoch, asked.TransactionResult, asked.CoordinatorEpoch);
        var hasNewEpoch = asked.TransactionVersion >= FirstVersionWithNewEpochs;
        return new()
        {
            ProducerId = asked.ProducerId,
            Topics = [.. await Task.WhenAll(asked.Topics.Select(async topic => new WritableTxnMarkerTopicResult
            {
                Name = topic.Name,
                Partitions = [.. await Task.WhenAll(topic.PartitionIndexes.Select(async index => new WritableTxnMarkerPartitionResult
                {
                    PartitionIndex = index, ErrorCode = await WriteAsync(new(topic.Name, index), marker, hasNewEpoch),
                }))],
            }))],
        };
    }

    private Task<ErrorCode> WriteAsync(TopicPartition id, EndTransactionMarker marker, bool hasNewEpoch)
    {
        if (partitions.Find(id) is not { } partition)
            return Task.FromResult(whyNotLed(id));
        // With the marker the offsets that the transaction has brought count, or are dropped.
        if (id.Topic == TopicName.ConsumerOffsets)
            return groups.EndTransactionAsync(id.Partition, marker, hasNewEpoch);
        var batch = marker.Encode(time.GetUtcNow().ToUnixTimeMilliseconds());
        return partition.AppendOwn(batch, only: null, new() { MarkerHasNewEpoch = hasNewEpoch }).Done;
    }
}
