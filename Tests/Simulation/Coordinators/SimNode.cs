using System.Buffers;
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Broker;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Groups;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Producers;
using OrleansLog.Broker.Shares;
using OrleansLog.Broker.Topics;
using OrleansLog.Broker.Transactions;
using OrleansLog.Coordination;
using OrleansLog.Coordination.Producers;
using OrleansLog.Coordination.ShareStates;
using OrleansLog.Coordination.Transactions;
using OrleansLog.Kafka;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;
using OrleansLog.Replication.Brokers;
using OrleansLog.Replication.Metadata;
using OrleansLog.Replication.Replicas;
using OrleansLog.Simulation.Applications;
using OrleansLog.Simulation.Running;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation.Coordinators;

/// <summary>
/// What production makes of a broker's replicas, in one life of a simulated broker: partitions, the coordinators of groups and
/// transactions over the partitions that it leads, and the Kafka endpoint without its sockets.
/// </summary>
public sealed class SimNode : IReplicaHosts
{
    private const int BatchBytesMax = 1 << 20;
    private const long AnyTimeMs = long.MaxValue / 4;

    private readonly SimCluster _cluster;
    private readonly SimBroker _broker;
    private readonly SimView _view;
    private readonly SimClock _clock;
    private readonly ClusterDirectory _directory = new();
    private readonly PartitionStore _store;
    private readonly GroupCoordinator _groups;
    private readonly TransactionCoordinator _transactions;
    private readonly CoordinatorElection[] _elections;
    private readonly KafkaRequests _requests;
    private readonly Action _end;

    internal SimNode(SimCluster cluster, SimBroker broker, BrokerReplicas replicas, IMetadataRegister register, SimClock clock, SimView view)
    {
        (_cluster, _broker, _view, _clock) = (cluster, broker, view, clock);
        var ending = new CancellationTokenSource();
        _end = ending.Cancel;
        var logger = new SimLogger(cluster, broker);
        _store = new(broker.Disk, SimBroker.DataDirectory, replicas, clock, NullLogger<Partition>.Instance);
        var states = new ShareStateCalls(_directory, PeerOf, _ => default);
        var topics = new TopicDirectory(_directory);
        _groups = new(GroupOptions, new GroupPorts(clock, topics, NewId, logger) { ShareStates = states, FindEndAsync = new PartitionEnds(_directory, PeerOf).FindAsync });
        var ids = new ProducerIds(new ProducerIdRegister(register, clock, TimeSpan.FromMilliseconds(20)), ending.Token);
        _transactions = new(TransactionOptions, new TransactionPorts(clock, topics, ids, new MarkerWriter(_directory, PeerOf, register, clock, logger), logger));
        _elections =
        [
            new(TopicName.ConsumerOffsets, (index, epoch, log) => _groups.ElectAsync(index, epoch, log, Plant(log)), (index, epoch) => _groups.ResignAsync(index, epoch), clock, logger),
            new(TopicName.TransactionState, (index, epoch, log) => _transactions.ElectAsync(index, epoch, log, Plant(log)), (index, epoch) => _transactions.ResignAsync(index, epoch), clock, logger),
        ];
        var control = new TopicControl(register, _directory, this, ConfigValues.Empty, (_, _) => { }, clock, NullLogger<TopicControl>.Instance);
        Broker = new(
            broker.Id, _store, control, _groups, _transactions, new TransactionVerification(_directory, PeerOf, clock), ids,
            BrokerSettings.From(ConfigValues.Empty) with { CreatesTopicsOnDemand = false }, new PauseGate(), clock)
        {
            ShareStates = new ShareCoordinator(ShareStateTopic.Options(ConfigValues.Empty), new SharePorts(clock, topics, logger)),
            Sharing = new Sharing(_store.Partitions, states, new GroupConfigs(register, ConfigValues.Empty, clock), ShareLimits.From(ConfigValues.Empty), clock, logger),
        };
        _requests = new(Broker);
        view.Changed = NoteBrokers;
        NoteBrokers();
        Refresh();
    }

    // Short enough that members are given up within a run.
    private static GroupOptions GroupOptions { get; } = new()
    {
        PartitionCount = CountOf(TopicName.ConsumerOffsets),
        MinSessionTimeoutMs = 500,
        ConsumerHeartbeatIntervalMs = 300,
        ConsumerSessionTimeoutMs = 2_500,
    };

    private static TransactionOptions TransactionOptions { get; } = new()
    {
        PartitionCount = CountOf(TopicName.TransactionState),
        OffsetsPartitionCount = CountOf(TopicName.ConsumerOffsets),
    };

    public Broker.Broker Broker { get; }

    /// <summary>Opens a replica, and coordinates what is in it where it turns out to lead.</summary>
    public async Task OpenAsync(TopicPartition id)
    {
        var topic = _cluster.Topics.First(topic => topic.Name == id.Topic);
        var settings = new PartitionSettings(
            topic.Log(_cluster.Profile), _cluster.Profile.Replication, BatchBytesMax, StampsAppendTime: false, AnyTimeMs, AnyTimeMs, NeedsKeys: false);
        await _store.OpenAsync(topic.Id, id, settings);
        if (_store.Partitions.Find(id) is { IsLeader: true } partition) Elect(partition, partition.LeaderEpoch);
    }

    /// <summary>The broker has no replica of the partition any more.</summary>
    public void Forget(TopicPartition id)
    {
        if (_store.Partitions.Find(id) is not { } partition) return;
        _store.Partitions.Remove(partition);
        partition.WakeWaits();
    }

    public void Led(PartitionReplica replica, LeaderEpoch epoch)
    {
        if (_store.Partitions.Find(replica.Id) is { } partition) Elect(partition, epoch);
    }

    public void SteppedDown(PartitionReplica replica, LeaderEpoch epoch)
    {
        _store.Partitions.Find(replica.Id)?.WakeWaits();
        foreach (var election in _elections) election.SteppedDown(replica.Id, epoch);
    }

    /// <summary>News of a partition.</summary>
    public void HearOf(TopicPartition id, PartitionRecord record)
    {
        if (_directory.Image.FindTopic(id.Topic) is not null) _directory.Changed(id, record);
        else NoteTopic(_cluster.Topics.First(topic => topic.Name == id.Topic));
    }

    /// <summary>Reads the register anew, as brokers do now and then: news may be lost.</summary>
    public void Refresh()
    {
        foreach (var topic in _cluster.Topics)
        {
            NoteTopic(topic);
            foreach (var id in topic.Partitions)
                if (_cluster.Peek(id) is { } current) _directory.Changed(id, current.Record);
        }
    }

    /// <summary>Answers the appends whose wait is over.</summary>
    public void ExpireWaits()
    {
        foreach (var topic in _cluster.Topics)
            foreach (var id in topic.Partitions) _store.Partitions.Find(id)?.ExpireWaits();
    }

    /// <summary>Answers a client.</summary>
    /// <exception cref="IOException">The request is none that is served.</exception>
    internal async Task<byte[]> AnswerAsync(SimRequest request)
    {
        var frame = await _requests.HandleAsync(request.Frame(), CancellationToken.None);
        try
        {
            return request.BodyOf(frame);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame.Array!);
        }
    }

    /// <summary>Gives up what it coordinates.</summary>
    public async Task CloseAsync()
    {
        _end();
        await _groups.CloseAsync();
        await _transactions.CloseAsync();
        Broker.Sharing.Dispose();
    }

    private static int CountOf(string topic) => SimTopic.OfCoordinators.First(each => each.Name == topic).PartitionCount;

    private IPartitionWriter Plant(IPartitionWriter writer) => _cluster.Bug?.Plant(writer) ?? writer;

    private void Elect(Partition partition, LeaderEpoch epoch)
    {
        foreach (var election in _elections) election.Led(partition, epoch);
    }

    private ICoordinatorPeer PeerOf(BrokerId id) => id == _broker.Id ? Broker : new SimPeer(_cluster, _broker, _cluster.Find(id));

    private Guid NewId() => new((int)_cluster.Random.Next(), (short)_broker.Id.Value, 0, BitConverter.GetBytes(_cluster.Random.Next()));

    private void NoteTopic(SimTopic topic)
    {
        var records = topic.Partitions.Select(_cluster.Peek).OfType<VersionedPartition>().Select(each => each.Record).ToImmutableArray();
        if (_directory.Image.FindTopic(topic.Name) is not null || records.Length < topic.PartitionCount) return;
        _directory.Update(image => image.With(new TopicImage(topic.Name, topic.Id, records, ImmutableSortedDictionary<string, string>.Empty)));
    }

    private void NoteBrokers()
    {
        foreach (var other in _cluster.Brokers)
        {
            if (other == _broker || _view.IsAlive(other.Id)) _directory.Joined(new BrokerImage(other.Id, $"broker-{other.Id}", 9092), _view.EpochOf(other.Id));
            else _directory.Left(other.Id);
        }
    }

    Task IReplicaHosts.OpenAsync(TopicImage topic, int from, PartitionSettings settings) => throw Unchanging();

    Task IReplicaHosts.DeleteAsync(string topic, int partitionCount) => throw Unchanging();

    void IReplicaHosts.Configure(string topic, PartitionSettings settings) => throw Unchanging();

    Task IReplicaHosts.LeadPreferredAsync(TopicPartition partition) => throw Unchanging();

    Task<UncleanStart?> IReplicaHosts.LeadUncleanlyAsync(TopicPartition partition) => throw Unchanging();

    Task IReplicaHosts.ForgetOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions) => throw Unchanging();

    private static NotSupportedException Unchanging() => new("The topics of a simulated cluster do not change.");
}
