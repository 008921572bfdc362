using System.Globalization;
using System.Text;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Replication.Metadata;
using OrleansLog.Simulation.Checking;
using OrleansLog.Simulation.Coordinators;
using OrleansLog.Simulation.Faults;
using OrleansLog.Simulation.Running;

namespace OrleansLog.Simulation.World;

/// <summary>
/// A whole cluster on one thread: brokers with their disks, the network, the register, clients and checkers. One seed
/// decides everything that happens in it.
/// </summary>
public sealed class SimCluster
{
    public static readonly TopicPartition Partition = new("events", 0);

    private readonly List<Checker> _checkers = [];
    private readonly StringBuilder? _trace;
    private VersionedPartition? _partition;
    private readonly Dictionary<TopicPartition, VersionedPartition> _others = [];
    private long _lastProducerId = 1_000;
    private ulong _traceHash = 14695981039346656037;

    public SimCluster(ulong seed, FaultProfile? profile = null, PlantedBug? bug = null, bool keepsTrace = false, Promise promise = Promise.Durable)
    {
        Random = new SimRandom(seed);
        Profile = (profile ?? FaultProfile.Draw(Random)) with { Promise = promise };
        Ledger.IsCompacted = Profile.IsCompacted;
        Bug = bug;
        _trace = keepsTrace ? new() : null;
        Scheduler = new SimScheduler(Random, Profile.ReorderUs) { AfterEach = AfterEvent };
        Network = new SimNetwork(Scheduler, Random);
        Register = new SimRegister(Scheduler, Random) { Changed = OnRegistered };
        Store = new SimStore(Scheduler, Random)
        {
            DocumentWritten = (name, content) => Check(checker => checker.OnStored(name, content)),
            Deleted = name =>
            {
                Trace($"deleted {name}");
                Check(checker => checker.OnDeletedFromStore(name));
            },
        };
        Topics = Profile.HasCoordinators ? [new SimTopic(Partition.Topic, 1), .. SimTopic.OfCoordinators] : [];
        Brokers = [];
        for (var id = 0; id < Profile.Brokers; id++) Brokers.Add(new SimBroker(this, new BrokerId(id)));
    }

    public SimRandom Random { get; }

    /// <summary>All topics, where there are coordinators; empty where there is the one partition alone.</summary>
    public IReadOnlyList<SimTopic> Topics { get; }

    /// <summary>The partitions that are there besides <see cref="Partition"/>: nobody watches them but those who use them.</summary>
    public IEnumerable<TopicPartition> Others => Topics.SelectMany(topic => topic.Partitions).Where(id => id != Partition);

    public FaultProfile Profile { get; }

    public PlantedBug? Bug { get; }

    public SimScheduler Scheduler { get; }

    public SimNetwork Network { get; }

    public SimRegister Register { get; }

    public SimStore Store { get; }

    /// <summary>Watches that store.</summary>
    public TieringInvariant Tiering { get; } = new();

    public List<SimBroker> Brokers { get; }

    public Ledger Ledger { get; } = new();

    /// <summary>What the clients saw.</summary>
    public History History { get; } = new();

    /// <summary>Somebody asks a leader to delete records.</summary>
    public void NoteDeletion(LeaderEpoch epoch, Offset before)
    {
        Trace($"delete before {before}");
        var branch = Ledger.Of(epoch);
        History.Deleted(before, branch.Since);
        branch.DeletedBefore = Offset.Max(branch.DeletedBefore, before);
    }

    /// <summary>A leadership begins.</summary>
    public void Led(SimBroker broker, LeaderEpoch epoch, Offset highWatermark)
    {
        Trace($"lead {broker.Id} epoch {epoch}");
        var branch = Ledger.Of(epoch);
        if (!branch.IsCertain) Confirm(branch, broker, highWatermark);
        Check(checker => checker.OnLed(broker, epoch));
    }

    private void Confirm(LedgerBranch branch, SimBroker leader, Offset highWatermark)
    {
        Ledger.Confirm(branch, leader, highWatermark);
        Trace($"branch {branch.Since} goes on at {branch.ForkedAt} of {branch.Parent!.End}");
        History.Forked(branch.Since, branch.Parent.Since, branch.ForkedAt);
        for (var offset = branch.ForkedAt; offset < branch.End; offset += 1) History.Committed(offset, branch.ValueAt(offset), branch.Since);
    }

    /// <summary>The first broken invariant, by its name; null while all hold.</summary>
    public string? Violation { get; internal set; }

    /// <summary>A hash of everything that was traced: the same for two runs of a seed.</summary>
    public ulong TraceHash => _traceHash;

    public string TraceText => _trace?.ToString() ?? "";

    public void Watch(IEnumerable<Checker> checkers)
    {
        foreach (var checker in checkers)
        {
            checker.Cluster = this;
            _checkers.Add(checker);
        }
    }

    /// <summary>Batches of applications that were acknowledged as safe.</summary>
    public int Acknowledgements { get; internal set; }

    /// <summary>Acknowledged records that were lost as the topic allows; known at the end.</summary>
    public int Lost { get; internal set; }

    /// <summary>An id that no other producer of the run has.</summary>
    public long TakeProducerId() => ++_lastProducerId;

    public SimBroker Find(BrokerId id) => Brokers[id.Value];

    /// <summary>The partition's record as it really is.</summary>
    public VersionedPartition? PeekPartition() => _partition;

    /// <summary>The record of any partition as it really is.</summary>
    public VersionedPartition? Peek(TopicPartition id) => id == Partition ? _partition : _others.GetValueOrDefault(id);

    /// <summary>The records of all partitions as they really are, as far as there are any.</summary>
    public IEnumerable<VersionedPartition> PeekAll() => new[] { Partition }.Concat(Others).Select(Peek).OfType<VersionedPartition>();

    /// <summary>
    /// The value that the replicas have at an offset when all is quiet; -1 where one has another, or more than the one
    /// broker whose disk may be damaged has none. What the remote store has was looked at when it came there.
    /// </summary>
    public long FinalValueAt(Offset offset)
    {
        var batch = Ledger.Current.Batches.First(batch => batch.Base <= offset && offset < batch.Next);
        if (batch.Next <= Ledger.Current.StoredTo) return Ledger.Current.ValueAt(offset);
        var isThere = Replicas.All(broker => broker.Shadow.HoldsOrRefuses(batch)) && Replicas.Count(broker => broker.Shadow.Holds(batch)) >= Replicas.Count() - 1;
        return isThere ? Ledger.Current.ValueAt(offset) : -1;
    }

    public void Check(Action<Checker> check)
    {
        foreach (var checker in _checkers) check(checker);
    }

    public void Violate(string invariant, string message)
    {
        if (Violation is null) Trace($"VIOLATION {invariant}: {message}");
        Violation ??= $"{invariant}: {message}";
    }

    public bool KeepsTrace => _trace is not null;

    /// <summary>Adds to the trace what is no part of the run itself.</summary>
    public void Note(string line) => _trace?.Append(CultureInfo.InvariantCulture, $"{Scheduler.NowUs / 1000.0,12:F3} {line}\n");

    public void Trace(string line)
    {
        foreach (var c in line) _traceHash = (_traceHash ^ c) * 1099511628211;
        _traceHash = (_traceHash ^ (ulong)Scheduler.NowUs) * 1099511628211;
        Note(line);
    }

    /// <summary>Creates the partition, starts every broker and lets faults begin.</summary>
    public void Begin()
    {
        foreach (var broker in Brokers) broker.Start();
        // Every broker has registered once before the partition is placed on them.
        Scheduler.RunUntil(1_000_000, () => Brokers.All(broker => broker.Replicas is not null));
        var record = PartitionRecord.Create(Replicas.Select(broker => new InSyncReplica(broker.Id, 1)), "created");
        var client = Register.ClientOf(new SimProcess(Scheduler));
        _ = client.PutAsync(PartitionRecord.KeyOf(Partition), record.Serialize(), null, CancellationToken.None).AsTask();
        foreach (var id in Others)
            _ = client.PutAsync(PartitionRecord.KeyOf(id), record.Serialize(), null, CancellationToken.None).AsTask();
        Scheduler.RunUntil(Scheduler.NowUs + 200_000, () => PeekPartition() is not null && _others.Count == Others.Count());
        foreach (var broker in Brokers) broker.Node?.Refresh();
        Network.Faults = new() { Lost = Profile.MessageLost, Repeated = Profile.MessageRepeated, DelayUs = (50, Profile.MessageDelayMaxUs) };
        Register.Faults = new() { Fails = Profile.RegisterFails, LosesReply = Profile.RegisterLosesReply, AppliesLate = Profile.RegisterAppliesLate, DelayUs = (200, Profile.RegisterDelayMaxUs) };
        Store.Faults = new() { Fails = Profile.StoreFails, LosesReply = Profile.StoreLosesReply, AppliesLate = Profile.StoreAppliesLate, DelayUs = (200, Profile.StoreDelayMaxUs) };
        foreach (var broker in Brokers)
            broker.Disk.Faults = new() { FlushFails = Profile.FlushFails, WriteFails = Profile.WriteFails, FlushUs = (100, Profile.FlushMaxUs), ShortReads = Profile.ShortReads };
    }

    /// <summary>Whether a broker is to have a replica.</summary>
    public bool IsPlacedOn(BrokerId broker) => IsPlacedOn(Partition, broker);

    /// <inheritdoc cref="IsPlacedOn(BrokerId)"/>
    public bool IsPlacedOn(TopicPartition id, BrokerId broker) => Peek(id) is { } current ? current.Record.Replicas.Contains(broker) : broker.Value < Profile.ReplicationFactor;

    /// <summary>The brokers that are to have a replica.</summary>
    public IEnumerable<SimBroker> Replicas => Brokers.Where(broker => IsPlacedOn(broker.Id));

    /// <summary>A broker serves from now on.</summary>
    public void Came(SimBroker broker)
    {
        foreach (var other in Brokers)
        {
            TellLater(other, broker, 50);
            if (other.IsRunning) TellLater(broker, other, 50);
        }
    }

    /// <summary>Set when the faults have ended: what still goes down then comes up again at once.</summary>
    public bool IsPeace { get; set; }

    public void Died(SimBroker broker)
    {
        if (IsPeace) Scheduler.After(100_000, broker.Start);
        foreach (var other in Brokers.Where(other => other != broker && other.IsRunning))
        {
            var view = other.View!;
            Scheduler.After(Random.Between(100, 1_000) * 1000, () =>
            {
                if (broker.IsRunning || other.View != view) return;
                view.Suspect(broker.Id);
                other.Process?.Enter(() => other.Replicas?.OnBrokersChanged());
            });
        }
    }

    /// <summary>Tells one broker how it really stands with another.</summary>
    public static void Tell(SimBroker who, SimBroker of)
    {
        if (who.View is not { } view || !of.IsRunning || of.Record is not { } record) return;
        view.HearOf(of.Id, record.Epoch);
        who.Process?.Enter(() => who.Replicas?.OnBrokersChanged());
    }

    public void TellAll()
    {
        foreach (var who in Brokers)
            foreach (var of in Brokers) Tell(who, of);
    }

    /// <summary>A batch is committed: its values have their place for good.</summary>
    public void Committed(LedgerBranch branch, LeaderEpoch leadership, SimBroker holder, BatchId batch)
    {
        Trace($"commit {batch.Base} to {batch.Next} epoch {batch.Epoch} by {holder.Id}");
        var records = Ledger.ContentOf(batch).Where(record => record.Offset >= branch.End).ToList();
        Ledger.Add(branch, leadership, batch, records);
        foreach (var (offset, value) in records) History.Committed(offset, value, branch.Since);
    }

    public void Polled(SimBroker broker, LeaderEpoch known, LeaderEpoch answered, Offset offset, long value)
    {
        if (KeepsTrace) Note($"poll {offset} of {broker.Id} in epoch {answered}");
        Check(checker => checker.OnPolled(broker, known, answered, offset, value));
    }

    public void Acknowledged(LeaderEpoch epoch, Offset offset, long value) => Check(checker => checker.OnAcknowledged(epoch, offset, value));

    public void Finish()
    {
        if (History.FindAnomalies().FirstOrDefault() is { } anomaly) Violate("history", anomaly.ToString());
        foreach (var checker in _checkers) checker.AtEnd();
    }

    private void TellLater(SimBroker who, SimBroker of, int maxMs) =>
        Scheduler.After(Random.Between(1, maxMs) * 1000, () => Tell(who, of));

    private void OnRegistered(string key, RegisterEntry entry)
    {
        if (key != PartitionRecord.KeyOf(Partition))
        {
            if (PartitionRecord.TryParseKey(key, out var id)) Put(id, new(PartitionRecord.Parse(entry.Document.Span), entry.Version));
            return;
        }

        var before = _partition;
        _partition = new(PartitionRecord.Parse(entry.Document.Span), entry.Version);
        Trace($"record {_partition.Record}");
        if (_partition.Record.UncleanEpoch is var unclean && unclean > Ledger.Current.Since) Ledger.Fork(unclean, Find(_partition.Record.Leader));
        Check(checker => checker.OnRegistered(before, _partition));
        var record = _partition.Record;
        foreach (var broker in Brokers.Where(_ => IsPeace || Random.Chance(0.9))) Scheduler.After(Random.Between(1, 30) * 1000, () => broker.HearOf(record));
    }

    private void Put(TopicPartition id, VersionedPartition partition)
    {
        _others[id] = partition;
        Trace($"record {id} {partition.Record}");
        foreach (var broker in Brokers.Where(_ => IsPeace || Random.Chance(0.9))) Scheduler.After(Random.Between(1, 30) * 1000, () => broker.HearOf(id, partition.Record));
    }

    private void AfterEvent()
    {
        foreach (var checker in _checkers) checker.AfterEvent();
    }
}
