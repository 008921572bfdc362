using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage.Compaction;

/// <summary>Tells the batches of aborted transactions, asked for one after another in the order of the log.</summary>
/// <param name="aborted">All that have records where is asked.</param>
internal sealed class AbortedRecords(IEnumerable<AbortedTransaction> aborted)
{
    private readonly Queue<AbortedTransaction> _ahead = new(aborted.OrderBy(each => each.First));
    private readonly Dictionary<long, Offset> _ends = [];

    /// <summary>Whether a batch of records is part of an aborted transaction.</summary>
    public bool Contains(in RecordBatchHeader batch)
    {
        while (_ahead.TryPeek(out var next) && next.First <= batch.BaseOffset)
        {
            _ahead.Dequeue();
            _ends[next.ProducerId] = next.Marker;
        }

        return batch.IsTransactional && _ends.TryGetValue(batch.ProducerId, out var end) && batch.BaseOffset < end;
    }
}
