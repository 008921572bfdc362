using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Replication.Replicas;
using OrleansLog.Simulation.Faults;
using OrleansLog.Simulation.Running;
using OrleansLog.Storage;

namespace OrleansLog.Simulation.World;

/// <summary>A client's place on the network: calls to brokers that may get no answer.</summary>
public abstract class SimClient
{
    private const long TimeoutUs = 2_000_000;

    private readonly int _place;

    protected SimClient(SimCluster cluster, int place)
    {
        Cluster = cluster;
        _place = place;
        Process = new SimProcess(cluster.Scheduler);
        Clock = new SimClock(cluster.Scheduler, Process, 1, TimeSpan.Zero);
    }

    public SimCluster Cluster { get; }

    protected int Place => _place;

    /// <summary>Set when the client is to come to an end.</summary>
    public bool IsStopping { get; set; }

    protected SimProcess Process { get; }

    protected SimClock Clock { get; }

    public void Begin() => Process.Enter(() => _ = RunAsync());

    protected abstract Task RunAsync();

    /// <summary>The leader as the cluster has it, or now and then as somebody had it.</summary>
    protected SimBroker? GuessLeader()
    {
        if (Cluster.Random.Chance(0.1)) return Cluster.Random.Pick(Cluster.Brokers);
        return Cluster.PeekPartition()?.Record is { } record && record.Leader != BrokerId.None ? Cluster.Find(record.Leader) : null;
    }

    /// <summary>A broker that has a replica, or now and then has none.</summary>
    protected SimBroker GuessReplica() => Cluster.Random.Pick(Cluster.Random.Chance(0.1) ? Cluster.Brokers : [.. Cluster.Replicas]);

    /// <summary>Calls a broker; the default if no answer comes.</summary>
    protected Task<T?> CallAsync<T>(SimBroker broker, Func<PartitionReplica, Task<T>> handle)
        where T : class
    {
        var done = new TaskCompletionSource<T?>(TaskCreationOptions.RunContinuationsAsynchronously);
        Cluster.Network.Send(_place, broker.Id.Value, () => broker.Process?.Enter(() => _ = AnswerAsync(broker, handle, done)), mayRepeat: false);
        Cluster.Scheduler.After(TimeoutUs, () => done.TrySetResult(null));
        return done.Task;
    }

    private async Task AnswerAsync<T>(SimBroker broker, Func<PartitionReplica, Task<T>> handle, TaskCompletionSource<T?> done)
        where T : class
    {
        if (broker.Replica is not { } replica) return;
        var answer = await handle(replica);
        Cluster.Network.Send(broker.Id.Value, _place, () => done.TrySetResult(answer), mayRepeat: false);
    }
}

/// <summary>
/// Sends batches of numbers under <c>acks=all</c>, one after another; an idempotent one each again and again until it is
/// acknowledged, any other one never twice.
/// </summary>
public sealed class SimProducer(SimCluster cluster, int place, long firstValue) : SimClient(cluster, place)
{
    private readonly long _first = firstValue;
    private int _count;
    private List<long> _unacknowledged = [];

    public int Acknowledged { get; private set; }

    protected override async Task RunAsync()
    {
        while (!IsStopping)
        {
            await Task.Delay(TimeSpan.FromMicroseconds(Cluster.Random.Between(200, 40_000)), Clock);
            if (GuessLeader() is { } leader) await SendAsync(leader);
        }
    }

    private async Task SendAsync(SimBroker leader)
    {
        var values = _unacknowledged.Count > 0 ? _unacknowledged : Enumerable.Range(0, 1 + Cluster.Random.Below(4)).Select(_ => _first + _count++).ToList();
        if (Cluster.Profile.HasIdempotentProducers) _unacknowledged = values;
        var answer = await CallAsync(leader, replica => ProduceAsync(replica, values));
        if (answer is not { Error: ErrorCode.None }) return;
        Acknowledged++;
        _unacknowledged = [];
        for (var i = 0; i < values.Count; i++)
        {
            Cluster.History.Acknowledged(Place, answer.Offset + i, values[i], Cluster.Ledger.Of(answer.Epoch).Since);
            Cluster.Acknowledged(answer.Epoch, answer.Offset + i, values[i]);
        }
    }

    private async Task<ProduceAnswer> ProduceAsync(PartitionReplica replica, List<long> values)
    {
        var isNumbered = Cluster.Profile.HasIdempotentProducers && Cluster.Bug is not SendsAgainWithoutNumbers;
        var batch = isNumbered ? Records.Batch(values, Place, (int)(values[0] - _first), isKeyed: Cluster.Profile.IsCompacted) : Records.Batch(values, isKeyed: Cluster.Profile.IsCompacted);
        var append = replica.Append(batch, awaitsCommit: true);
        if (append.Error != ErrorCode.None) return new(append.Error, append.LeaderEpoch, Offset.None);
        return new(await append.Done, append.LeaderEpoch, append.Appended.BaseOffset);
    }

    private sealed record ProduceAnswer(ErrorCode Error, LeaderEpoch Epoch, Offset Offset);
}

/// <summary>
/// Reads the partition from its start, in order. When the leader is another one it asks first whether what it has read is
/// still there (KIP-320): leadership by leadership, for after an unclean election the end of the last one that the leader
/// knows may lie beyond the end of what the reader got of it.
/// </summary>
public sealed class SimConsumer(SimCluster cluster, int place) : SimClient(cluster, place)
{
    private LeaderEpoch _known = LeaderEpoch.None;
    private LeaderEpoch _compared = LeaderEpoch.None;
    private readonly List<EpochEndOffset> _read = [];

    private LeaderEpoch _branch = LeaderEpoch.None;

    // Only the leader knows where the log begins: a reader that a follower cannot serve turns to it.
    private bool _isOutOfRange;

    /// <summary>Whether it has asked since the last unclean election if what it has read is still there.</summary>
    public bool HasCompared => _compared >= Cluster.Ledger.Current.Since;

    /// <summary>The offset after the last record that it has read.</summary>
    public Offset Position { get; private set; } = Offset.Zero;

    protected override async Task RunAsync()
    {
        while (true)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Cluster.Random.Between(5, 60)), Clock);
            var broker = Cluster.Profile.ReadsFollowers && !_isOutOfRange ? GuessReplica() : GuessLeader();
            if (broker is not null) await PollAsync(broker);
        }
    }

    private async Task PollAsync(SimBroker leader)
    {
        var known = _known;
        var answer = await CallAsync(leader, replica => Task.FromResult(Fetch(leader, replica, known)));
        if (answer is null) return;
        if (answer.Error == ErrorCode.FencedLeaderEpoch) _known = answer.Epoch;
        _isOutOfRange = answer.Error == ErrorCode.OffsetNotAvailable;
        if (answer.Error is ErrorCode.None or ErrorCode.OffsetOutOfRange && MustBeginAnew(answer)) return;
        if (answer.Error == ErrorCode.OffsetOutOfRange) Restart(leader, answer);
        if (answer.Error != ErrorCode.None) return;
        _known = _compared = answer.Epoch;
        if (answer.Agreed is { } agreed && agreed < Position)
        {
            Position = agreed;
            Forget();
            Cluster.History.SetBack(Place, Position, Cluster.Ledger.Of(answer.Epoch).Since);
            return;
        }

        var end = Position;
        foreach (var batch in new RecordBatchEnumerator(answer.Bytes))
        {
            Note(batch.Header);
            end = batch.Header.NextOffset;
        }

        foreach (var (offset, value) in Records.Read(answer.Bytes))
        {
            PassOver(leader, known, answer.Epoch, offset);
            Take(leader, known, answer.Epoch, offset, value);
        }

        PassOver(leader, known, answer.Epoch, end);
    }

    // What compaction may remove counts as read: everything else is missed at once.
    private void PassOver(SimBroker leader, LeaderEpoch known, LeaderEpoch answered, Offset to)
    {
        if (!Cluster.Profile.IsCompacted) return;
        var branch = Cluster.Ledger.Of(answered);
        while (Position < to)
        {
            if (!branch.MayBeGone(Position)) Cluster.Violate("11 compaction", $"broker {leader.Id} lacks offset {Position}, the last of its key");
            Take(leader, known, answered, Position, branch.ValueAt(Position));
        }
    }

    // It has read nothing by which a log could tell that records were lost; where another one began says nothing.
    private bool MustBeginAnew(FetchAnswer answer)
    {
        var branch = Cluster.Ledger.Of(answer.Epoch).Since;
        var isAnother = branch > _branch && _read.Count == 0 && Position > Offset.Zero;
        if (branch > _branch) _branch = branch;
        if (!isAnother) return false;
        Position = Offset.Zero;
        Cluster.History.SetBack(Place, Position, branch);
        return true;
    }

    // The records that were due may have been deleted: the reader goes on with the first that are left.
    private void Restart(SimBroker leader, FetchAnswer answer)
    {
        var branch = Cluster.Ledger.Of(answer.Epoch);
        if (answer.LogStart <= Position || answer.LogStart > branch.DeletedBefore)
            Cluster.Violate("poll skip", $"offset {Position} is out of range at broker {leader.Id}, whose log starts at {answer.LogStart}");
        Position = Offset.Max(Position, answer.LogStart);
    }

    private void Take(SimBroker leader, LeaderEpoch known, LeaderEpoch answered, Offset offset, long value)
    {
        if (offset < Position) return;
        Position = offset + 1;
        Cluster.History.Polled(Place, offset, value, Cluster.Ledger.Of(answered).Since);
        Cluster.Polled(leader, known, answered, offset, value);
    }

    private FetchAnswer Fetch(SimBroker broker, PartitionReplica replica, LeaderEpoch known)
    {
        if (_read.Count > 0 && replica.LeaderEpoch > _compared && AgreedEnd(replica) is var agreed && agreed < Position)
            return new(ErrorCode.None, replica.LeaderEpoch, replica.Log.LogStartOffset, replica.Log.LogEndOffset, [], agreed);
        var read = Read(replica, known);
        var start = replica.Log.LogStartOffset;
        if (read.Error == ErrorCode.OffsetOutOfRange && Position < start && broker.Tier?.Of(replica) is { } tier)
        {
            var found = tier.Read(Position, 4_000, minOneBatch: true);
            read = read with { Error = found.Error, Log = found };
            start = tier.LogStartOffset ?? start;
        }

        var bytes = new byte[read.Log.Slice.Length];
        read.Log.Slice.Read(bytes);
        return new(read.Error, read.LeaderEpoch, start, replica.Log.LogEndOffset, bytes);
    }

    // Where a follower's log begins and ends says nothing about the leader's (KIP-392).
    private ReplicaRead Read(PartitionReplica replica, LeaderEpoch known)
    {
        if (replica.IsLeader || !Cluster.Profile.ReadsFollowers) return replica.Read(Position, 4_000, known);
        var read = replica.ReadAtFollower(Position, 4_000, known, minOneBatch: true);
        return read.Error == ErrorCode.OffsetOutOfRange ? read with { Error = ErrorCode.OffsetNotAvailable } : read;
    }

    // Nothing at all when the leader knows none of the leaderships. One that has no record tells nothing.
    private Offset AgreedEnd(PartitionReplica replica)
    {
        foreach (var read in Enumerable.Reverse(_read))
            if (replica.Log.EndOffsetFor(read.Epoch) is var end && end.Epoch == read.Epoch) return Offset.Min(end.EndOffset, read.EndOffset);
        return replica.Log.LatestEpoch == LeaderEpoch.None ? replica.Log.LogEndOffset : Offset.Zero;
    }

    private void Note(in RecordBatchHeader batch)
    {
        if (_read is [.., var last] && last.Epoch == batch.PartitionLeaderEpoch) _read.RemoveAt(_read.Count - 1);
        _read.Add(new(batch.PartitionLeaderEpoch, batch.NextOffset));
    }

    // What it has read from its position on is not there any more.
    private void Forget()
    {
        var known = _read.FindIndex(read => read.EndOffset >= Position);
        if (known < 0) return;
        var last = _read[known] with { EndOffset = Position };
        _read.RemoveRange(known, _read.Count - known);
        if (Position > (known > 0 ? _read[^1].EndOffset : Offset.Zero)) _read.Add(last);
    }

    private sealed record FetchAnswer(ErrorCode Error, LeaderEpoch Epoch, Offset LogStart, Offset LogEnd, byte[] Bytes, Offset? Agreed = null);
}
