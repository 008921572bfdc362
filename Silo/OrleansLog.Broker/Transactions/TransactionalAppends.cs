using OrleansLog.Broker.Partitions;
using OrleansLog.Protocol;

namespace OrleansLog.Broker.Transactions;

/// <summary>
/// Appends of transactional batches to one partition. The first of a transaction waits for its coordinator's word; those of
/// the same producer that come meanwhile wait behind it, for they must not overtake it. Any thread.
/// </summary>
internal sealed class TransactionalAppends(Partition partition)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, Task> _last = [];

    /// <summary>Appends a batch; the buffer is the caller's again on return.</summary>
    /// <param name="batch">One batch of the transaction's producer.</param>
    /// <param name="transaction">What it belongs to.</param>
    /// <param name="commitTimeoutMs">How long the producer waits for the commit.</param>
    /// <param name="verify">Asks the coordinator.</param>
    public ValueTask<AppendOutcome> AppendAsync(Memory<byte> batch, OpenTransaction transaction, int commitTimeoutMs, Func<Task<Verdict>> verify)
    {
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task? before;
        lock (_gate)
        {
            var isFirst = !_last.TryGetValue(transaction.ProducerId, out before);
            if (isFirst && IsOpen(transaction))
                return new(partition.Append(batch, awaitsCommit: true, commitTimeoutMs));
            _last[transaction.ProducerId] = mine.Task;
        }
        return new(AppendInTurnAsync(batch.ToArray(), transaction, commitTimeoutMs, verify, before ?? Task.CompletedTask, mine));
    }

    private async Task<AppendOutcome> AppendInTurnAsync(
        byte[] batch, OpenTransaction transaction, int commitTimeoutMs, Func<Task<Verdict>> verify, Task before, TaskCompletionSource mine)
    {
        try
        {
            await before;
            return IsOpen(transaction)
                ? partition.Append(batch, awaitsCommit: true, commitTimeoutMs)
                : await VerifyAndAppendAsync(batch, commitTimeoutMs, verify);
        }
        finally
        {
            lock (_gate)
            {
                if (_last[transaction.ProducerId] == mine.Task)
                    _last.Remove(transaction.ProducerId);
            }
            mine.SetResult();
        }
    }

    // A marker that comes while the coordinator is asked is behind the end that the log had before. It may be that of the
    // transaction before this one, which the coordinator waited for: it is asked once more.
    private async Task<AppendOutcome> VerifyAndAppendAsync(byte[] batch, int commitTimeoutMs, Func<Task<Verdict>> verify)
    {
        for (var attempt = 1; ; attempt++)
        {
            var (epoch, end) = (partition.LeaderEpoch, partition.Log.LogEndOffset);
            var (error, coordinator) = await verify();
            if (error != ErrorCode.None)
                return AppendOutcome.Refused(error);
            var outcome = partition.Append(batch, awaitsCommit: true, commitTimeoutMs, epoch, new() { VerifiedAt = end, VerifiedBy = coordinator });
            // Who the coordinator is will be known here soon; every client comes again for this one.
            if (outcome.Error == ErrorCode.TransactionCoordinatorFenced)
                return AppendOutcome.Refused(ErrorCode.NotEnoughReplicas);
            if (outcome.Error != ErrorCode.InvalidTxnState || attempt == OpenTransaction.AttemptsMax)
                return outcome;
        }
    }

    private bool IsOpen(OpenTransaction transaction) => partition.Log.IsInTransaction(transaction.ProducerId, transaction.ProducerEpoch);
}
