using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client.Consuming;

/// <summary>
/// Tells which batches of a fetch belong to aborted transactions (KIP-98): from a transaction's first record on those of its
/// producer, up to its marker. Asked for every batch, in order; one reader at a time.
/// </summary>
internal sealed class AbortedRecords
{
    private readonly List<FetchResponse.AbortedTransaction> _byStart;
    private readonly HashSet<long> _open = [];
    private int _next;

    private AbortedRecords(List<FetchResponse.AbortedTransaction> byStart) => _byStart = byStart;

    /// <summary>Null where nothing was aborted.</summary>
    public static AbortedRecords? Of(List<FetchResponse.AbortedTransaction>? aborted) =>
        aborted is { Count: > 0 } ? new([.. aborted.OrderBy(transaction => transaction.FirstOffset)]) : null;

    /// <summary>Begins again with the first batch.</summary>
    public void Restart()
    {
        _next = 0;
        _open.Clear();
    }

    /// <summary>Whether the records of a batch are to be left out.</summary>
    public bool Contains(in RecordBatchHeader batch)
    {
        while (_next < _byStart.Count && _byStart[_next].FirstOffset <= batch.LastOffset.Value) _open.Add(_byStart[_next++].ProducerId);
        if (!batch.IsControl) return batch.IsTransactional && _open.Contains(batch.ProducerId);
        _open.Remove(batch.ProducerId);
        return false;
    }
}
