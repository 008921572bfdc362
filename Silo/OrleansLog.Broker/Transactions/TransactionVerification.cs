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
public readonly record struct OpenTransaction(string TransactionalId, long ProducerId, short ProducerEpoch, bool MayAdd)
{
    /// <summary>How often a coordinator is asked about one batch because markers came meanwhile.</summary>
    public const int AttemptsMax = 3;
}

/// <summary>What a transaction's coordinator said of a partition.</summary>
/// <param name="Error">None when the partition is part of the transaction; otherwise why it is not, or why that is not known.</param>
/// <param name="CoordinatorEpoch">The leader epoch of who said so.</param>
public readonly record struct Verdict(ErrorCode Error, long CoordinatorEpoch = -1);

/// <summary>
/// Asks a transaction's coordinator, before a transaction begins in a partition, whether the partition is part of it. Without
/// that a batch that is late would open a transaction that nobody ends (KIP-890). Any thread.
/// </summary>
public sealed class TransactionVerification(ClusterDirectory cluster, Func<BrokerId, ITransactionPeer> peers, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan PatienceMax = TimeSpan.FromMilliseconds(400);

    /// <summary>Asks until there is an answer that lasts, or patience ends.</summary>
    public async Task<Verdict> VerifyAsync(OpenTransaction transaction, TopicPartition partition, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var verdict = await AskAsync(transaction, partition, cancellationToken);
            if (!IsWorthAnotherTry(verdict.Error) || time.GetElapsedTime(started) > PatienceMax)
                return verdict;
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>Who coordinates a transactional id, as far as is known here.</summary>
    public static BrokerId CoordinatorOf(ClusterImage cluster, string transactionalId) =>
        cluster.FindTopic(TopicName.TransactionState) is { } topic
            ? topic.Partitions[TransactionCoordinator.PartitionFor(transactionalId, topic.Partitions.Length)].Leader
            : BrokerId.None;

    private async Task<Verdict> AskAsync(OpenTransaction transaction, TopicPartition partition, CancellationToken cancellationToken)
    {
        var coordinator = CoordinatorOf(cluster.Image, transaction.TransactionalId);
        if (coordinator == BrokerId.None)
            return new(ErrorCode.CoordinatorNotAvailable);
        try
        {
            var asked = peers(coordinator).AddPartitionsToTxnAsync(Request(transaction, partition), cancellationToken);
            var answer = asked.IsCompleted ? await asked : await asked.WaitAsync(PatienceMax, time, cancellationToken);
            var result = answer.ResultsByTransaction[0];
            return new(result.TopicResults[0].ResultsByPartition[0].PartitionErrorCode, result.CoordinatorEpoch);
        }
        catch (IOException)
        {
            return new(ErrorCode.CoordinatorNotAvailable);
        }
        catch (TimeoutException)
        {
            return new(ErrorCode.ConcurrentTransactions);
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
