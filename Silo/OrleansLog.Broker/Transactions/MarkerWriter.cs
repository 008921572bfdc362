using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Metadata;
using OrleansLog.Coordination.Transactions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Replication.Brokers;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Broker.Transactions;

/// <summary>
/// Has leaders write the ends of transactions, each broker in one request a round, until every partition has its marker. A
/// partition is given up only when the register itself says that its topic is no more.
/// </summary>
internal sealed class MarkerWriter(
    ClusterDirectory cluster, Func<BrokerId, ITransactionPeer> peers, IMetadataRegister register, TimeProvider time, ILogger logger) : ITransactionMarkers
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(30);

    public async Task<MarkersWritten> WriteAsync(TransactionEnd end, CancellationToken cancellationToken)
    {
        var left = end.Partitions.ToHashSet();
        var begun = new HashSet<TopicPartition>();
        for (var pause = FirstPause; left.Count > 0; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var rounds = await Task.WhenAll(left.GroupBy(LeaderOf).Select(group => SendAsync(group.Key, end, [.. group], cancellationToken)));
            foreach (var (partition, error) in rounds.SelectMany(round => round))
            {
                if (error is ErrorCode.TransactionCoordinatorFenced or ErrorCode.InvalidProducerEpoch)
                    return GiveUp(end, partition, error);
                if (error == ErrorCode.ConcurrentTransactions)
                    begun.Add(partition);
                if (error is ErrorCode.None or ErrorCode.ConcurrentTransactions || await IsGoneAsync(partition, cancellationToken))
                    left.Remove(partition);
            }
            if (left.Count > 0)
                await Task.Delay(pause, time, cancellationToken);
        }
        return new(IsDone: true, begun);
    }

    private BrokerId LeaderOf(TopicPartition partition) => cluster.Image.FindPartition(partition)?.Leader ?? BrokerId.None;

    private async Task<List<(TopicPartition, ErrorCode)>> SendAsync(
        BrokerId leader, TransactionEnd end, TopicPartition[] partitions, CancellationToken cancellationToken)
    {
        if (leader == BrokerId.None)
            return [.. partitions.Select(partition => (partition, ErrorCode.LeaderNotAvailable))];
        try
        {
            var answer = await peers(leader).WriteTxnMarkersAsync(Request(end, partitions), cancellationToken).WaitAsync(CallTimeout, time, cancellationToken);
            return [.. from marker in answer.Markers
                       from topic in marker.Topics
                       from partition in topic.Partitions
                       select (new TopicPartition(topic.Name, partition.PartitionIndex), partition.ErrorCode)];
        }
        catch (Exception failed) when (failed is IOException or TimeoutException)
        {
            return [.. partitions.Select(partition => (partition, ErrorCode.NetworkException))];
        }
    }

    private static WriteTxnMarkersRequest Request(TransactionEnd end, TopicPartition[] partitions) => new()
    {
        Markers =
        [
            new()
            {
                ProducerId = end.ProducerId,
                ProducerEpoch = end.ProducerEpoch,
                TransactionResult = end.IsCommit,
                CoordinatorEpoch = end.CoordinatorEpoch,
                TransactionVersion = (sbyte)(end.HasNewEpoch ? 2 : 0),
                Topics = [.. partitions.GroupBy(partition => partition.Topic).Select(topic => new WriteTxnMarkersRequest.WritableTxnMarkerTopic
                {
                    Name = topic.Key, PartitionIndexes = [.. topic.Select(partition => partition.Partition)],
                })],
            },
        ],
    };

    // What this broker knows of topics may be late: a marker that is not written leaves the transaction open for ever.
    private async Task<bool> IsGoneAsync(TopicPartition partition, CancellationToken cancellationToken)
    {
        if (cluster.Image.FindPartition(partition) is not null)
            return false;
        try
        {
            return await register.GetAsync(TopicRecord.KeyOf(partition.Topic), cancellationToken) is null;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private MarkersWritten GiveUp(TransactionEnd end, TopicPartition partition, ErrorCode error)
    {
        logger.LogWarning(
            "{Partition} refuses the end of the transaction of {TransactionalId} (producer {ProducerId}, epoch {Epoch}, coordinator {CoordinatorEpoch}): {Error}",
            partition, end.TransactionalId, end.ProducerId, end.ProducerEpoch, end.CoordinatorEpoch, error);
        return new(IsDone: false, []);
    }
}
