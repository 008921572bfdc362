using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage.Compaction;

/// <summary>Tells the batches of aborted transactions.</summary>
/// <param name="aborted">All that have records where is asked. Those of one producer do not overlap.</param>
internal sealed class AbortedRecords(IEnumerable<AbortedTransaction> aborted)
{
    private readonly Dictionary<long, AbortedTransaction[]> _byProducer = aborted
        .GroupBy(each => each.ProducerId)
        .ToDictionary(each => each.Key, each => each.OrderBy(transaction => transaction.First).ToArray());

    /// <summary>Whether a batch of records is part of an aborted transaction.</summary>
    public bool Contains(in RecordBatchHeader batch)
    {
        if (!batch.IsTransactional || !_byProducer.TryGetValue(batch.ProducerId, out var transactions)) return false;
        var before = LastBefore(transactions, batch.BaseOffset);
        return before >= 0 && batch.BaseOffset < transactions[before].Marker;
    }

    // The last one that had begun; -1 for none.
    private static int LastBefore(AbortedTransaction[] transactions, Offset offset)
    {
        var (low, high) = (0, transactions.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (transactions[middle].First <= offset) low = middle + 1;
            else high = middle;
        }

        return low - 1;
    }
}
