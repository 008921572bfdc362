using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage;

namespace OrleansLog.Simulation.World;

/// <summary>What identifies a batch in a log: its place, the leadership that wrote it, and its bytes by their checksum.</summary>
public readonly record struct BatchId(Offset Base, Offset Next, LeaderEpoch Epoch, uint Crc);

/// <summary>What the log of one replica is known to consist of, kept beside the log by watching it.</summary>
/// <param name="ledger">Learns what is in each batch.</param>
public sealed class Shadow(Checking.Ledger ledger)
{
    private readonly List<BatchId> _batches = [];

    public IReadOnlyList<BatchId> Batches => _batches;

    /// <summary>Where the log began when it was opened or started anew.</summary>
    public Offset Start { get; private set; } = Offset.Zero;

    public Offset End => _batches.Count == 0 ? Start : _batches[^1].Next;

    /// <summary>Where what the log has, sound or refused, ends.</summary>
    public Offset CoveredEnd => _refused.Count == 0 ? End : Offset.Max(End, _refused[^1].To);

    private readonly List<(Offset From, Offset To)> _refused = [];

    public override string ToString() => $"{Start} refuses [{string.Join(' ', _refused)}] ends with {string.Join(' ', _batches.TakeLast(4))}";

    public void TruncateTo(Offset end)
    {
        while (_batches.Count > 0 && _batches[^1].Next > end) _batches.RemoveAt(_batches.Count - 1);
        _refused.RemoveAll(range => range.To > end);
    }

    /// <summary>Takes in what the log holds from the end of the shadow on, and returns the first new one's index.</summary>
    public int Extend(PartitionLog log)
    {
        var first = _batches.Count;
        var at = Offset.Max(CoveredEnd, log.LogStartOffset);
        while (at < log.LogEndOffset)
        {
            var read = log.Read(at, 1 << 20, log.LogEndOffset);
            if (read.Refused is { } damage) at = Refuse(at, Offset.Min(damage.To, log.LogEndOffset));
            else if (read.Error != ErrorCode.None || read.Slice.IsEmpty) break;
            else at = Take(read.Slice);
        }

        return first;
    }

    private Offset Refuse(Offset from, Offset to)
    {
        _refused.Add((from, to));
        return to;
    }

    private Offset Take(LogSlice slice)
    {
        var bytes = new byte[slice.Length];
        slice.Read(bytes);
        foreach (var batch in new RecordBatchEnumerator(bytes))
        {
            var id = new BatchId(batch.Header.BaseOffset, batch.Header.NextOffset, batch.Header.PartitionLeaderEpoch, batch.Header.Crc);
            // What compaction has left counts as what was there: whether that is right is for its own invariant.
            var end = End;
            _batches.AddRange(ledger.Learn(id, batch.Bytes).Where(original => original.Next > end));
        }

        return End;
    }

    /// <summary>The log was opened: it is what it is.</summary>
    public void Replace(PartitionLog log)
    {
        Clear(log.LogStartOffset);
        Extend(log);
    }

    /// <summary>The log holds nothing and begins at an offset.</summary>
    public void Clear(Offset start)
    {
        Start = start;
        _batches.Clear();
        _refused.Clear();
    }

    /// <summary>Whether the batch is at its place in this log.</summary>
    public bool Holds(BatchId batch) => At(batch.Base) == batch;

    /// <summary>The batch that begins at an offset.</summary>
    public BatchId? At(Offset offset)
    {
        int low = 0, high = _batches.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_batches[middle].Base < offset) low = middle + 1;
            else high = middle;
        }

        return low < _batches.Count && _batches[low].Base == offset ? _batches[low] : null;
    }

    /// <summary>Whether something else lies in the place of a batch, or in a part of it, from the log's start on.</summary>
    public bool HasOtherThan(BatchId batch, Offset logStart) =>
        _batches.Exists(other => other != batch && other.Base < batch.Next && other.Next > Offset.Max(batch.Base, logStart));

    /// <summary>The batch amid which the log starts, if it starts amid one at this offset.</summary>
    public BatchId? AtStart(Offset offset) => _batches is [var first, ..] && first.Base < offset && offset < first.Next ? first : null;

    /// <summary>
    /// Whether the log has the batch, or knows that its bytes there are damaged: it serves nothing else in their place.
    /// </summary>
    public bool HoldsOrRefuses(BatchId batch) =>
        Holds(batch) || _refused.Exists(range => range.From <= Offset.Max(batch.Base, Start) && batch.Next <= range.To);
}
