using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Replication.Replicas;
using OrleansLog.Simulation.Checking;
using OrleansLog.Simulation.Faults;

namespace OrleansLog.Simulation.World;

/// <summary>
/// A transactional producer and, in the same place, the coordinator of its transactions, by script: writes batches, decides,
/// and sends the marker until it is acknowledged. Now and then a coordinator is deposed: its markers may arrive after those of
/// its successor, and even amid a later transaction. Every transaction has an epoch of its own (KIP-890), or, as clients
/// from before that have it, the same one until something goes wrong.
/// </summary>
public sealed class SimTransactor(SimCluster cluster, int place, long firstValue, bool hasNewEpochs, TransactionLedger ledger) : SimClient(cluster, place)
{
    private const int AttemptsMax = 4;

    private long _nextValue = firstValue;
    private short _epoch;
    private int _sequence;
    private int _coordinatorEpoch;
    private SimTransaction? _open;

    /// <summary>Set when it was told to stop and nothing of it is open.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Transactions whose end was acknowledged.</summary>
    public int Ended { get; private set; }

    protected override async Task RunAsync()
    {
        while (!IsStopping)
        {
            await PauseAsync(1, 60);
            await TransactAsync();
        }

        HasEnded = true;
    }

    private async Task TransactAsync()
    {
        _open = new SimTransaction();
        var isKnown = true;
        for (var batches = 1 + Cluster.Random.Below(3); batches > 0 && isKnown; batches--)
        {
            isKnown = await WriteAsync(_open);
            await PauseAsync(0, 30);
        }

        // Only what is there for certain can be committed.
        _open.Outcome = isKnown && Cluster.Random.Chance(0.6) ? Outcome.Committed : Outcome.Aborted;
        if (hasNewEpochs || !isKnown) (_epoch, _sequence) = ((short)(_epoch + 1), 0);
        var isCommit = _open.Outcome == Outcome.Committed;
        _open = null;
        Cluster.Trace($"{Place} {(isCommit ? "commits" : "aborts")} in epoch {_epoch}");
        await EndAsync(isCommit);
        Ended++;
    }

    /// <summary>Whether the batch is there for certain.</summary>
    private async Task<bool> WriteAsync(SimTransaction transaction)
    {
        var values = Enumerable.Range(0, 1 + Cluster.Random.Below(3)).Select(_ => _nextValue++).ToList();
        foreach (var value in values) ledger.Write(transaction, value);
        var (epoch, sequence) = (_epoch, _sequence);
        for (var attempt = 0; attempt < AttemptsMax; attempt++)
        {
            if (GuessLeader() is { } leader && await CallAsync(leader, replica => AppendAsync(replica, transaction, values, epoch, sequence)) is { Error: ErrorCode.None })
            {
                _sequence += values.Count;
                return true;
            }

            await PauseAsync(10, 200);
        }

        return false;
    }

    // As a broker does: a batch that begins a transaction waits for the coordinator's word, and for nothing that came before it.
    private async Task<Answer> AppendAsync(PartitionReplica replica, SimTransaction transaction, List<long> values, short epoch, int sequence)
    {
        var batch = Records.Batch(values, Place, sequence, epoch, isTransactional: true);
        if (replica.Log.IsInTransaction(Place, epoch)) return await DoneAsync(replica.Append(batch, awaitsCommit: true));
        var (led, end) = (replica.LeaderEpoch, replica.Log.LogEndOffset);
        await PauseAsync(0, 20);
        return _open != transaction ? new(ErrorCode.TransactionAbortable)
            : led == LeaderEpoch.None ? new(ErrorCode.NotLeaderOrFollower)
            : await DoneAsync(replica.Append(batch, awaitsCommit: true, only: led, transaction: new() { VerifiedAt = end }));
    }

    private async Task EndAsync(bool isCommit)
    {
        while (true)
        {
            var marker = new EndTransactionMarker(Place, _epoch, isCommit, _coordinatorEpoch);
            if (GuessLeader() is { } leader && await CallAsync(leader, replica => MarkAsync(replica, marker)) is { Error: ErrorCode.None }) return;
            // A successor takes over; the marker of the one before may still be on its way.
            if (Cluster.Random.Chance(0.4)) Depose(marker);
            await PauseAsync(10, 200);
        }
    }

    private void Depose(EndTransactionMarker marker)
    {
        _coordinatorEpoch++;
        Cluster.Scheduler.After(Cluster.Random.Between(1, 1_500) * 1000, () => Process.Enter(() =>
        {
            if (GuessLeader() is { } leader) _ = CallAsync(leader, replica => MarkAsync(replica, marker));
        }));
    }

    private async Task<Answer> MarkAsync(PartitionReplica replica, EndTransactionMarker marker)
    {
        if (Cluster.Bug is AcceptsDeposedCoordinators) marker = marker with { CoordinatorEpoch = int.MaxValue };
        return await DoneAsync(replica.Append(marker.Encode(Cluster.Scheduler.NowUs), awaitsCommit: true, transaction: new() { MarkerHasNewEpoch = hasNewEpochs }));
    }

    private static async Task<Answer> DoneAsync(ReplicaAppend append) => new(append.Error != ErrorCode.None ? append.Error : await append.Done);

    private Task PauseAsync(int minMs, int maxMs) => Task.Delay(TimeSpan.FromMilliseconds(Cluster.Random.Between(minMs, maxMs) + 1), Clock);

    private sealed record Answer(ErrorCode Error);
}

/// <summary>Reads the committed transactions of the partition from its start, in order, at whoever leads it.</summary>
public sealed class SimCommittedReader(SimCluster cluster, int place, TransactionLedger ledger) : SimClient(cluster, place)
{
    /// <summary>The offset after the last batch that it has read.</summary>
    public Offset Position { get; private set; } = Offset.Zero;

    protected override async Task RunAsync()
    {
        while (true)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Cluster.Random.Between(5, 60)), Clock);
            if (GuessLeader() is not { } leader || await CallAsync(leader, replica => Task.FromResult(Fetch(replica))) is not { } answer) continue;
            if (answer.From == Position) Take(answer);
        }
    }

    private FetchAnswer Fetch(PartitionReplica replica)
    {
        var read = replica.Read(Position, 4_000, LeaderEpoch.None, stableOnly: Cluster.Bug is not ShowsOpenTransactions);
        var bytes = new byte[read.Log.Slice.Length];
        read.Log.Slice.Read(bytes);
        return new(Position, bytes, [.. replica.Log.AbortedTransactions(Position, read.Log.Slice).Select(each => (each.First, each.ProducerId))]);
    }

    // Leaves out what clients are told to leave out.
    private void Take(FetchAnswer answer)
    {
        var aborted = new Queue<(Offset First, long ProducerId)>(answer.Aborted.OrderBy(each => each.First));
        var aborting = new HashSet<long>();
        foreach (var batch in new RecordBatchEnumerator(answer.Bytes))
        {
            while (aborted.TryPeek(out var next) && next.First <= batch.Header.LastOffset) aborting.Add(aborted.Dequeue().ProducerId);
            if (batch.Header.IsControl) aborting.Remove(batch.Header.ProducerId);
            else if (!aborting.Contains(batch.Header.ProducerId) && batch.Header.NextOffset > Position) See(batch.Bytes);
            Position = Offset.Max(Position, batch.Header.NextOffset);
        }
    }

    private void See(ReadOnlySpan<byte> batch)
    {
        foreach (var (offset, value) in Records.Read(batch))
            if (ledger.See(offset, value) is { } wrong) Cluster.Violate("transactions", wrong);
    }

    private sealed record FetchAnswer(Offset From, byte[] Bytes, List<(Offset First, long ProducerId)> Aborted);
}
