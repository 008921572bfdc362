using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Runtime;

/// <summary>One append and the answers that wait for it.</summary>
/// <param name="mark">Where the shard stood before the first change of this batch.</param>
/// <param name="transaction">The transaction that the batch belongs to, if it does.</param>
internal sealed class PendingBatch(int mark, TransactionWrite? transaction = null)
{
    public TransactionWrite? Transaction => transaction;
    public int Mark { get; } = mark;
    public List<CoordinatorRecord> Records { get; } = [];
    public List<Settlement> Settlements { get; } = [];
    public int SizeInBytes { get; private set; } = ShardTurn.BatchOverheadBytes;

    public void Add(CoordinatorRecord record)
    {
        Records.Add(record);
        SizeInBytes += ShardTurn.SizeOf(record);
    }
}

/// <summary>
/// The outcome of one turn of a shard: the results of its requests, gathered into as few appends as the size limit of
/// a batch allows.
/// </summary>
internal sealed class ShardTurn(ICoordinatorShard shard, int maxBatchBytes)
{
    /// <summary>The header of a record batch.</summary>
    public const int BatchOverheadBytes = 61;

    /// <summary>The most that a record takes beyond its key and value: lengths, deltas, attributes.</summary>
    private const int RecordOverheadBytes = 32;

    private readonly List<PendingBatch> _batches = [new PendingBatch(shard.Mark)];

    public IReadOnlyList<PendingBatch> Batches => _batches;

    public static int SizeOf(in CoordinatorRecord record) => record.SizeInBytes + RecordOverheadBytes;

    /// <summary>
    /// Carries out the changes of a result and places them behind those before. Answers
    /// <see cref="ErrorCode.RecordListTooLarge"/> if they do not fit into one batch: the changes, carried out all the
    /// same, are then for the caller to roll back.
    /// </summary>
    public ErrorCode Place(CoordinatorResult result)
    {
        var records = result.Records;
        var encoded = records.Select(record => record.IsWritten ? record.Encode() : (CoordinatorRecord?)null).ToArray();
        if (!Fits(encoded, result.IsAtomic))
        {
            foreach (var record in records)
                shard.Replay(record);
            return ErrorCode.RecordListTooLarge;
        }
        if (result.Transaction is not null || _batches[^1].Transaction is not null)
            _batches.Add(new PendingBatch(shard.Mark, result.Transaction));
        if (result.IsAtomic)
            MakeRoomFor(encoded.Sum(record => record is { } written ? SizeOf(written) : 0));
        for (var i = 0; i < encoded.Length; i++)
            Place(records[i], encoded[i], result.IsAtomic);
        _batches[^1].Settlements.AddRange(result.Settlements);
        return ErrorCode.None;
    }

    private void Place(StateRecord record, CoordinatorRecord? encoded, bool isAtomic)
    {
        if (!isAtomic && encoded is { } alone)
            MakeRoomFor(SizeOf(alone));
        shard.Replay(record);
        if (encoded is { } written)
            _batches[^1].Add(written);
    }

    private bool Fits(CoordinatorRecord?[] records, bool isAtomic)
    {
        long size = BatchOverheadBytes;
        foreach (var record in records)
        {
            size = (isAtomic ? size : BatchOverheadBytes) + (record is { } written ? SizeOf(written) : 0);
            if (size > maxBatchBytes)
                return false;
        }
        return true;
    }

    private void MakeRoomFor(int bytes)
    {
        var last = _batches[^1];
        if (last.Records.Count > 0 && last.SizeInBytes + bytes > maxBatchBytes)
            _batches.Add(new PendingBatch(shard.Mark));
    }
}
