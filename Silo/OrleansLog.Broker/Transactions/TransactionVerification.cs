using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Topics;
using OrleansLog.Coordination.Transactions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Replication.Brokers;

namespace OrleansLog.Broker.Transactions;

/// <summary>A transaction that batches belong to.</summary>
/// <param name="TransactionalId">Whose it is.</param>
/// <param name="ProducerId">In whose name its batches are.</param>
/// <param name="ProducerEpoch">The epoch of the batches.</param>
/// <param name="MayAdd">
/// Whether writing to a partition makes it part of the transaction (KIP-890); otherwise the producer has said so itself before.
/// </param>
public readonly record struct OpenTransaction(string TransactionalId, long ProducerId, short ProducerEpoch, bool MayAdd);

/// <summary>
/// Asks a transaction's coordinator, before a transaction begins in a partition, whether the partition is part of it. Without
/// that a batch that is late would open a transaction that nobody ends (KIP-890). Any thread.
/// </summary>
public sealed class TransactionVerification(ClusterDirectory cluster, Func<BrokerId, ITransactionPeer> peers, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan PatienceMax = TimeSpan.FromMilliseconds(400);

    /// <summary>None when it is; otherwise why it is not, or why that is not known.</summary>
    public async Task<ErrorCode> VerifyAsync(OpenTransaction transaction, TopicPartition partition, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var error = await AskAsync(transaction, partition, cancellationToken);
            if (!IsWorthAnotherTry(error) || time.GetElapsedTime(started) > PatienceMax)
                return error;
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>Who coordinates a transactional id, as far as is known here.</summary>
    public static BrokerId CoordinatorOf(ClusterImage cluster, string transactionalId) =>
        cluster.FindTopic(TopicName.TransactionState) is { } topic
            ? topic.Partitions[TransactionCoordinator.PartitionFor(transactionalId, topic.Partitions.Length)].Leader
            : BrokerId.None;

    private async Task<ErrorCode> AskAsync(OpenTransaction transaction, TopicPartition partition, CancellationToken cancellationToken)
    {
        var coordinator = CoordinatorOf(cluster.Image, transaction.TransactionalId);
        if (coordinator == BrokerId.None)
            return ErrorCode.CoordinatorNotAvailable;
        try
        {
            var asked = peers(coordinator).AddPartitionsToTxnAsync(Request(transaction, partition), cancellationToken);
            var answer = asked.IsCompleted ? await asked : await asked.WaitAsync(PatienceMax, time, cancellationToken);
            return answer.ResultsByTransaction[0].TopicResults[0].ResultsByPartition[0].PartitionErrorCode;
        }
        catch (IOException)
        {
            return ErrorCode.CoordinatorNotAvailable;
        }
        catch (TimeoutException)
        {
            return ErrorCode.ConcurrentTransactions;
        }
    }

    private static AddPartitionsToTxnRequest Request(OpenTransaction transaction, TopicPartition partition) => new()
    {
        Transactions =
        [
            new()
            {
                TransactionalId = transaction.TransactionalId,
                ProducerId = transaction.ProducerId,
                ProducerEpoch = transaction.ProducerEpoch,
                VerifyOnly = !transaction.MayAdd,
                Topics = [new() { Name = partition.Topic, Partitions = [partition.Partition] }],
            },
        ],
    };

    // The end of the transaction before this one may still be on its way.
    private static bool IsWorthAnotherTry(ErrorCode error) => error is
        ErrorCode.ConcurrentTransactions or ErrorCode.CoordinatorNotAvailable or ErrorCode.NotCoordinator or ErrorCode.CoordinatorLoadInProgress;
}
