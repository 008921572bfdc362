using System.Globalization;
using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Groups;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Nodes;
using OrleansLog.Broker.Shares;
using OrleansLog.Broker.Tiering;
using OrleansLog.Broker.Topics;
using OrleansLog.Broker.Tracing;
using OrleansLog.Broker.Transactions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Replication.Brokers;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Metadata;
using OrleansLog.Replication.Replicas;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Clustered;

/// <summary>
/// One broker whose peers are in other processes. It opens before the engine makes it a member of the cluster
/// (<see cref="OpenAsync"/>), serves once it is one (<see cref="JoinAsync"/>), hears from the engine who lives
/// (<see cref="ObserveAsync"/>), and hands over before it leaves (<see cref="ResignAsync"/>). As an
/// <see cref="IBrokerPeer"/> it answers the others. Any thread; the life cycle's methods one at a time.
/// </summary>
public sealed class ClusteredBroker : INodeCluster, IBrokerPeer, IAsyncDisposable
{
    private const long RegisterRetryDelayMs = 100;

    private readonly IDisposable _ownership;
    private readonly IMetadataRegister _register;
    private readonly PartitionRegister _records;
    private readonly Peers _peers;
    private readonly BrokerNode _node;
    private readonly NewsReader _news;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _observing = new(1);
    private readonly Dictionary<BrokerId, long> _living = [];
    private readonly CancellationTokenSource _stopping = new();
    private Task _healing = Task.CompletedTask;
    private bool _hasJoined;

    private ClusteredBroker(
        BrokerId id, BrokerOptions options, IDisposable ownership, ILogFileSystem files, IMetadataRegister register, Func<BrokerId, IBrokerPeer> peers,
        TimeProvider time, ILoggerFactory loggers)
    {
        (_ownership, _register, Options, Files, Time, Loggers) = (ownership, register, options, files, time, loggers);
        _logger = loggers.CreateLogger<ClusteredBroker>();
        _records = new PartitionRegister(register, () => Guid.NewGuid().ToString("N"), time, RegisterRetryDelayMs);
        _peers = new Peers(peers, time, _logger);
        RemoteStore = options.RemoteStore is { } store ? new OwnedRemoteStore(store, () => Directory.Image.ClusterId, time) : null;
        _node = new BrokerNode(id, options.Brokers[0], this);
        var hosts = new ClusteredHosts(_node, Directory, _peers, _records);
        Topics = new TopicControl(
            register, Directory, hosts, options.Config, (partition, record) => RecordChanged(null, partition, record), time, loggers.CreateLogger<TopicControl>())
        { RemoteStore = RemoteStore };
        _news = new NewsReader(_node, Directory, Topics, _logger);
    }

    public BrokerId Id => _node.Id;

    /// <summary>The broker; null before it is open and after it has stopped.</summary>
    public Broker? Broker => _node.Broker;

    /// <summary>What this broker knows of the cluster.</summary>
    public ClusterDirectory Directory { get; } = new();

    internal ILogFileSystem Files { get; }

    internal BrokerOptions Options { get; }

    internal TimeProvider Time { get; }

    internal ILoggerFactory Loggers { get; }

    internal TopicControl Topics { get; }

    internal OwnedRemoteStore? RemoteStore { get; }

    IMetadataRegister INodeCluster.Register => _register;

    ILogFileSystem INodeCluster.Files => Files;

    BrokerOptions INodeCluster.Options => Options;

    TimeProvider INodeCluster.Time => Time;

    ILoggerFactory INodeCluster.Loggers => Loggers;

    TopicControl INodeCluster.Topics => Topics;

    OwnedRemoteStore? INodeCluster.RemoteStore => RemoteStore;

    private Broker Open => Broker ?? throw new IOException($"Broker {Id} is stopping.");

    private bool IsController => Directory.Image.Controller == Id;

    /// <summary>Claims the data directory, reads the register, begins a life and recovers every replica. Nobody knows of it yet.</summary>
    /// <param name="id">Who it is; the same at every start on this data directory.</param>
    /// <param name="options">Its directory, its one address and its configuration.</param>
    /// <param name="files">Its disk.</param>
    /// <param name="register">What the brokers agree on. The caller's to dispose.</param>
    /// <param name="peers">The way to each other broker, whether it lives or not.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Told of what happens.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DirectoryInUseException">Another process owns the data directory.</exception>
    /// <exception cref="IOException">The directory or a log in it cannot be used, or belongs to another broker or cluster.</exception>
    /// <exception cref="InvalidDataException">The cluster is of another format.</exception>
    public static async Task<ClusteredBroker> OpenAsync(
        BrokerId id, BrokerOptions options, ILogFileSystem files, IMetadataRegister register, Func<BrokerId, IBrokerPeer> peers,
        TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        files.CreateDirectory(options.DataDirectory);
        var owner = string.Create(CultureInfo.InvariantCulture, $"process {Environment.ProcessId} on {Environment.MachineName}");
        var broker = new ClusteredBroker(id, options, files.Lock(options.DataDirectory, owner), files, register, peers, time, loggers);
        try
        {
            var cluster = await ClusterRecord.ReadOrFoundAsync(register, cancellationToken);
            await broker.Topics.LoadAsync(cluster.ClusterId, cancellationToken);
            OffsetsTopic.Topic.Check(broker.Directory.Image, options.Config);
            TransactionTopic.Topic.Check(broker.Directory.Image, options.Config);
            ShareStateTopic.Topic.Check(broker.Directory.Image, options.Config);
            await broker._node.OpenAsync(cancellationToken);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>It is a member now: leads what it may lead, and serves.</summary>
    public async Task JoinAsync(CancellationToken cancellationToken)
    {
        await ReadTopicsAsync(cancellationToken);
        _node.Announce();
        _hasJoined = true;
        await _node.LeadPreferredAsync();
        _node.Join();
        _healing = TendAsync(_stopping.Token);
    }

    /// <summary>The members of the cluster are others than before; this broker may be among them.</summary>
    public async Task ObserveAsync(IReadOnlyCollection<LivingBroker> living, CancellationToken cancellationToken)
    {
        await _observing.WaitAsync(cancellationToken);
        try
        {
            var others = living.Where(member => member.Broker != Id).ToList();
            var left = _living.Keys.Except(others.Select(member => member.Broker)).ToList();
            var joined = others.Where(member => _living.GetValueOrDefault(member.Broker, -1) != member.Incarnation).ToList();
            foreach (var broker in left)
                Leave(broker);
            foreach (var member in joined)
                await WelcomeAsync(member, cancellationToken);
            if (_hasJoined && left.Count + joined.Count > 0)
                _node.OnBrokersChanged();
        }
        finally
        {
            _observing.Release();
        }
    }

    /// <summary>Stops to serve clients of its own accord: hands over what it leads, and says that it leaves.</summary>
    public async Task ResignAsync()
    {
        await _stopping.CancelAsync();
        await _healing;
        await _node.ResignAsync();
        await _peers.DeliveredAsync(TimeSpan.FromSeconds(2));
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _healing;
        await _node.StopServingAsync();
        _peers.Close();
        await _node.StopWithAllAsync();
        _node.Dispose();
        _news.Dispose();
        Topics.Dispose();
        _observing.Dispose();
        _stopping.Dispose();
        _ownership.Dispose();
    }

    ValueTask<AppendReply> IBrokerPeer.AppendAsync(AppendRequest request, CancellationToken cancellationToken) =>
        _node.Replicas is { } replicas ? TracedChannel.HandleAppendAsync(replicas, Id, request) : throw new IOException($"Broker {Id} is stopping.");

    Task IBrokerPeer.TellAsync(IReadOnlyList<RegisterNews> news, CancellationToken cancellationToken) => _news.ReadAsync(news, cancellationToken);

    Task IBrokerPeer.LeadPreferredAsync(TopicPartition partition, CancellationToken cancellationToken) => _node.LeadPreferredAsync(partition);

    Task<EpochEndOffset?> IBrokerPeer.FindLogEndAsync(TopicPartition partition, CancellationToken cancellationToken) => Task.FromResult(_node.FindLogEnd(partition));

    Task<bool> IBrokerPeer.LeadUncleanlyAsync(TopicPartition partition, CancellationToken cancellationToken) => _node.LeadUncleanlyAsync(partition);

    Task<AddPartitionsToTxnResponse> ITransactionPeer.AddPartitionsToTxnAsync(AddPartitionsToTxnRequest request, CancellationToken cancellationToken) =>
        Open.AddPartitionsToTxnAsync(request, cancellationToken);

    Task<WriteTxnMarkersResponse> ITransactionPeer.WriteTxnMarkersAsync(WriteTxnMarkersRequest request, CancellationToken cancellationToken) =>
        Open.WriteTxnMarkersAsync(request, cancellationToken);

    Task<InitializeShareGroupStateResponse> IShareStatePeer.InitializeShareStateAsync(InitializeShareGroupStateRequest request, CancellationToken cancellationToken) =>
        Open.InitializeShareStateAsync(request, cancellationToken);

    Task<ReadShareGroupStateResponse> IShareStatePeer.ReadShareStateAsync(ReadShareGroupStateRequest request, CancellationToken cancellationToken) =>
        Open.ReadShareStateAsync(request, cancellationToken);

    Task<WriteShareGroupStateResponse> IShareStatePeer.WriteShareStateAsync(WriteShareGroupStateRequest request, CancellationToken cancellationToken) =>
        Open.WriteShareStateAsync(request, cancellationToken);

    Task<DeleteShareGroupStateResponse> IShareStatePeer.DeleteShareStateAsync(DeleteShareGroupStateRequest request, CancellationToken cancellationToken) =>
        Open.DeleteShareStateAsync(request, cancellationToken);

    Task<ReadShareGroupStateSummaryResponse> IShareStatePeer.SummarizeShareStateAsync(ReadShareGroupStateSummaryRequest request, CancellationToken cancellationToken) =>
        Open.SummarizeShareStateAsync(request, cancellationToken);

    Task<ListOffsetsResponse> IShareStatePeer.ListOffsetsAsync(ListOffsetsRequest request, CancellationToken cancellationToken) =>
        Open.ListOffsetsAsync(request, cancellationToken);

    ICoordinatorPeer INodeCluster.CoordinatorPeer(BrokerId from, BrokerId to) => _peers[to];

    IReplicationChannel INodeCluster.ChannelFrom(BrokerNode node) => _peers;

    void INodeCluster.RecordChanged(BrokerId? writer, TopicPartition id, PartitionRecord record) => RecordChanged(writer, id, record);

    void INodeCluster.Joined(BrokerNode node, long epoch)
    {
        Directory.Joined(node.Image, epoch);
        node.OnBrokersChanged();
    }

    void INodeCluster.Left(BrokerNode node) => Directory.Left(node.Id);

    private void RecordChanged(BrokerId? writer, TopicPartition id, PartitionRecord record)
    {
        Directory.Changed(id, record);
        _node.OnRecordChanged(id, record, isOwnChange: writer == Id);
        _peers.Tell(id, record);
    }

    // Between the load and the membership others may have made changes of which this broker was not told.
    private async Task ReadTopicsAsync(CancellationToken cancellationToken)
    {
        var names = (await _register.ListAsync(TopicRecord.KeyPrefix, cancellationToken)).Select(key => key[TopicRecord.KeyPrefix.Length..]);
        foreach (var name in names.Union(Directory.Image.Topics.Keys, StringComparer.Ordinal))
            await _news.FollowTopicAsync(name, cancellationToken);
    }

    private void Leave(BrokerId broker)
    {
        _living.Remove(broker);
        _peers.Left(broker);
        Directory.Left(broker);
        _logger.LogInformation("Broker {Broker} has left", broker);
    }

    private async Task WelcomeAsync(LivingBroker member, CancellationToken cancellationToken)
    {
        if (await _records.ReadBrokerAsync(member.Broker, cancellationToken) is not { } record)
            return;
        _living[member.Broker] = member.Incarnation;
        _peers.Joined(member.Broker);
        Directory.Joined(new BrokerImage(member.Broker, record.Host, record.Port, record.Rack), record.Epoch);
        _peers.TellAll(member.Broker, IsController ? Directory.Image.Topics.Keys : [], Led());
        _logger.LogInformation("Broker {Broker} has joined, in its life {Epoch}", member.Broker, record.Epoch);
    }

    private IEnumerable<(TopicPartition, PartitionRecord)> Led() =>
        from partition in Broker?.Partitions.All ?? []
        where partition.IsLeader
        let record = Directory.RecordOf(partition.Id)
        where record is not null
        select (partition.Id, record);

    /// <summary>What one broker of the cluster does for all: whoever is the controller.</summary>
    private async Task TendAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (IsController)
                await Topics.EndChangesCutShortAsync(cancellationToken);
        }
        catch (Exception failed) when (failed is IOException or InvalidDataException or OperationCanceledException)
        {
            _logger.LogError("Changes of topics that were cut short could not be ended: {Reason}", failed.Message);
        }
        var delayMs = Options.Config.Get(BrokerConfigs.ReplicaRestoreDelayMs);
        if (delayMs >= 0)
            await new ReplicaHealing(Topics, TimeSpan.FromMilliseconds(delayMs), Time, Loggers.CreateLogger<ReplicaHealing>()) { IsOn = () => IsController }
                .RunAsync(cancellationToken);
    }
}
