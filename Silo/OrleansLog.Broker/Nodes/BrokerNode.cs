using System.Globalization;
using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Groups;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Producers;
using OrleansLog.Broker.Restoring;
using OrleansLog.Broker.Shares;
using OrleansLog.Broker.Tiering;
using OrleansLog.Broker.Topics;
using OrleansLog.Broker.Tracing;
using OrleansLog.Broker.Transactions;
using OrleansLog.Coordination;
using OrleansLog.Coordination.Producers;
using OrleansLog.Coordination.ShareStates;
using OrleansLog.Coordination.Transactions;
using OrleansLog.Protocol;
using OrleansLog.Replication.Brokers;
using OrleansLog.Replication.Metadata;
using OrleansLog.Replication.Replicas;
using OrleansLog.Storage;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Nodes;

/// <summary>
/// One broker with its disk, over all its lives: it starts, serves, is paused and goes on, stops or
/// is killed, and starts again. What changes its life is asked for one at a time; the rest may come from any thread.
/// </summary>
internal sealed class BrokerNode : IReplicationObserver, IDisposable
{
    private const long RegisterRetryDelayMs = 100;

    private readonly INodeCluster _cluster;
    private readonly string _directory;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _changing = new(1);
    private Life? _life;

    public BrokerNode(BrokerId id, BrokerAddress address, INodeCluster cluster)
    {
        _cluster = cluster;
        Image = new(id, address.Host, address.Port, address.Rack);
        _directory = Path.Combine(cluster.Options.DataDirectory, string.Create(CultureInfo.InvariantCulture, $"broker-{id}"));
        _logger = cluster.Loggers.CreateLogger<BrokerNode>();
    }

    public BrokerImage Image { get; }

    public BrokerId Id => Image.Id;

    public PauseGate Gate { get; } = new();

    /// <summary>Whether it has a life, be it a paused one.</summary>
    public bool IsRunning => Volatile.Read(ref _life) is not null;

    /// <summary>The broker in its present life; null between lives.</summary>
    public Broker? Broker => Volatile.Read(ref _life)?.Broker;

    /// <summary>Its replicas; null between lives.</summary>
    public BrokerReplicas? Replicas => Volatile.Read(ref _life)?.Replicas;

    /// <summary>Begins a life: registers, opens and recovers every replica, and follows. <see cref="Announce"/> comes next.</summary>
    /// <exception cref="IOException">The disk cannot be used.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        _cluster.Files.CreateDirectory(_directory);
        var register = new PausableRegister(_cluster.Register, Gate);
        var began = await BrokerLife.BeginAsync(
            Id, _cluster.Files, _directory, register, Guid.NewGuid().ToString("N"), _cluster.Time, new(Image.Host, Image.Port, Image.Rack), cancellationToken, _cluster.Directory.Image.ClusterId);
        var life = NewLife(began, register);
        Volatile.Write(ref _life, life);
        foreach (var topic in _cluster.Directory.Image.Topics.Values)
            await OpenAsync(topic, 0, PartitionSettings.From(_cluster.Topics.ConfigOf(topic)));
        await DropUnassignedAsync(life);
    }

    /// <summary>It is known to live from now on.</summary>
    public void Announce() => _cluster.Directory.Joined(Image, _life!.Began.Record.Epoch);

    /// <summary>The others act on it, and clients are served.</summary>
    public void Join()
    {
        var life = _life!;
        life.Housekeeping = new Housekeeping(life.Broker.Partitions, life.Replicas, life.Backlog, life.Broker.Backup, Gate, _cluster.Config, _cluster.Time, _logger);
        _cluster.Joined(this, life.Began.Record.Epoch);
        life.Endpoint = _cluster.Options.Serve?.Invoke(life.Broker);
    }

    /// <summary>Leads what it is the preferred leader of, where it is in sync.</summary>
    public Task LeadPreferredAsync() => _life!.Replicas.LeadPreferredAsync();

    /// <inheritdoc cref="LeadPreferredAsync()"/>
    public Task LeadPreferredAsync(TopicImage topic, int from) =>
        _life is { } life ? life.Replicas.LeadPreferredAsync(Mine(topic, from)) : Task.CompletedTask;

    /// <inheritdoc cref="LeadPreferredAsync()"/>
    public Task LeadPreferredAsync(TopicPartition partition) => _life is { } life ? life.Replicas.LeadPreferredAsync([partition]) : Task.CompletedTask;

    /// <inheritdoc cref="BrokerReplicas.LeadUncleanlyAsync"/>
    public Task<bool> LeadUncleanlyAsync(TopicPartition partition) => _life is { } life ? life.Replicas.LeadUncleanlyAsync(partition) : Task.FromResult(false);

    /// <summary>Where the log of a partition ends here, and the epoch of its last record; null without a log that can be used.</summary>
    public EpochEndOffset? FindLogEnd(TopicPartition partition) =>
        _life?.Replicas.Find(partition) is { IsFailed: false, Log: { } log } ? new(log.EpochAt(log.LogEndOffset - 1), log.LogEndOffset) : null;

    /// <summary>Ends at once, as if the process had been killed: hands nothing over, and leaves no sign of a clean stop.</summary>
    public async Task KillAsync()
    {
        if (Interlocked.Exchange(ref _life, null) is not { } life)
            return;
        Gate.Open();
        _cluster.Left(this);
        await CloseAsync(life);
    }

    /// <summary>Hands over what it leads, and takes over nothing any more.</summary>
    public Task ResignAsync() => _life is { } life ? life.Replicas.ResignAsync() : Task.CompletedTask;

    /// <summary>Hands over what it leads, then flushes, closes everything and ends.</summary>
    public async Task StopAsync()
    {
        if (_life is not { } life)
            return;
        Gate.Open();
        await life.Replicas.ResignAsync();
        Volatile.Write(ref _life, null);
        _cluster.Left(this);
        if (await CloseAsync(life))
            await life.Began.EndCleanlyAsync();
    }

    /// <summary>Ends together with every other broker: there is nobody to hand over to.</summary>
    public async Task StopWithAllAsync()
    {
        if (Interlocked.Exchange(ref _life, null) is not { } life)
            return;
        Gate.Open();
        if (await CloseAsync(life))
            await life.Began.EndCleanlyAsync();
    }

    /// <summary>Stops serving first of all, when everything is to stop.</summary>
    public async Task StopServingAsync()
    {
        if (_life is not { } life)
            return;
        if (life.Endpoint is { } endpoint)
            await endpoint.DisposeAsync();
        if (life.Housekeeping is { } housekeeping)
            await housekeeping.DisposeAsync();
        life.Endpoint = null;
        life.Housekeeping = null;
    }

    /// <summary>After a pause: what was believed before it is asked for again.</summary>
    public void Resume()
    {
        Gate.Open();
        if (_life is not { } life)
            return;
        _cluster.Joined(this, life.Began.Record.Epoch);
        foreach (var replica in life.Replicas.All)
            replica.OnRecordChanged();
    }

    public async Task OpenAsync(TopicImage topic, int from, PartitionSettings settings)
    {
        if (_life is not { } life)
            return;
        using var turn = await TakeTurnAsync();
        await Parallel.ForEachAsync(Mine(topic, from), async (id, _) => await OpenAsync(life, topic.Id, id, settings));
    }

    public async Task DeleteTopicAsync(string topic, int partitionCount)
    {
        using var turn = await TakeTurnAsync();
        var ids = Enumerable.Range(0, partitionCount).Select(index => new TopicPartition(topic, index));
        if (_life is { } life)
        {
            await Parallel.ForEachAsync(ids, async (id, _) => await life.Broker.Store.DeleteAsync(id));
            await life.Broker.Store.ForgetTopicAsync(topic);
            return;
        }
        // Its disk is here although the broker is not: nothing of the topic may wait for it to come back.
        foreach (var id in ids)
            _cluster.Files.DeleteDirectory(Path.Combine(_directory, id.ToString()));
    }

    public void Configure(string topic, PartitionSettings settings) => _life?.Broker.Store.Configure(topic, settings);

    public Task ForgetOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions) =>
        _life?.Broker.Groups.ForgetPartitionsAsync(partitions) ?? Task.CompletedTask;

    public void OnBrokersChanged() => _life?.Replicas.OnBrokersChanged();

    public void OnRecordChanged(TopicPartition id, PartitionRecord record, bool isOwnChange)
    {
        if (_life is not { } life)
            return;
        life.Replicas.OnRecordChanged(id, record, isOwnChange);
        if (record.Replicas.Contains(Id) != life.Replicas.Find(id) is not null)
            _ = FollowAssignmentAsync(life, id);
    }

    public void Dispose() => _changing.Dispose();

    void IReplicationObserver.Led(PartitionReplica replica, LeaderEpoch epoch)
    {
        if (_life is { } life && life.Broker.Partitions.Find(replica.Id) is { } partition)
            life.Led(partition, epoch);
    }

    void IReplicationObserver.SteppedDown(PartitionReplica replica, LeaderEpoch epoch)
    {
        if (_life is not { } life)
            return;
        life.Broker.Partitions.Find(replica.Id)?.WakeWaits();
        life.Offsets.SteppedDown(replica.Id, epoch);
        life.Transactions.SteppedDown(replica.Id, epoch);
        life.Shares.SteppedDown(replica.Id, epoch);
        life.Broker.Sharing.SteppedDown(replica.Id);
    }

    private Life NewLife(BrokerLife began, PausableRegister register)
    {
        var nonce = 0;
        var ports = new ReplicaPorts
        {
            Self = began.Record,
            Files = _cluster.Files,
            Channel = new TracedChannel(_cluster.ChannelFrom(this)),
            Register = new PartitionRegister(register, () => $"{Id}@{began.Record.Epoch}-{Interlocked.Increment(ref nonce)}", _cluster.Time, RegisterRetryDelayMs)
            {
                Changed = (id, record) => _cluster.RecordChanged(Id, id, record),
            },
            Cluster = _cluster.Directory,
            Time = _cluster.Time,
            Logger = _cluster.Loggers.CreateLogger<PartitionReplica>(),
            RecoveryBudget = new(),
            CatchUp = new(_cluster.Time),
            Observer = this,
            Stored = _cluster.RemoteStore is { } store ? new StoredLogs(store, _logger) : null,
        };
        var replicas = new BrokerReplicas(ports, _directory);
        var remote = NewRemoteTier();
        var partitions = new PartitionStore(_cluster.Files, _directory, replicas, _cluster.Time, _cluster.Loggers.CreateLogger<Partition>(), remote);
        var states = new ShareStateCalls(_cluster.Directory, PeerOf, cancellation => (Broker ?? throw new IOException($"Broker {Id} is not running.")).EnsureShareStateTopicAsync(cancellation));
        var groupConfigs = new GroupConfigs(register, _cluster.Config, _cluster.Time);
        var groups = NewGroups(states, groupConfigs);
        var shares = NewShares();
        var ending = new CancellationTokenSource();
        var ids = new ProducerIds(
            new ProducerIdRegister(register, _cluster.Time, TimeSpan.FromMilliseconds(RegisterRetryDelayMs)), ending.Token);
        var transactions = NewTransactions(ids, register);
        var verification = new TransactionVerification(_cluster.Directory, PeerOf, _cluster.Time);
        var broker = new Broker(
            Id, partitions, _cluster.Topics, groups, transactions, verification, ids, BrokerSettings.From(_cluster.Config), Gate, _cluster.Time)
        {
            ShareStates = shares,
            Backup = NewBackup(partitions.Partitions),
            Restore = _cluster.RemoteStore is { } stored
                ? new ClusterRestore(stored, _cluster.Topics, register, _cluster.Time, _cluster.Loggers.CreateLogger<ClusterRestore>())
                : null,
            Sharing = new Sharing(
                partitions.Partitions, states, groupConfigs, ShareLimits.From(_cluster.Config), _cluster.Time,
                _cluster.Loggers.CreateLogger<Sharing>()),
        };
        return new Life(began, replicas, broker, Elections(groups), Elections(transactions), Elections(shares), ending) { Backlog = remote?.Backlog };

        ClusterBackup? NewBackup(PartitionTable table) => _cluster.RemoteStore is not { } kept ? null : new ClusterBackup(
            Id, kept, _cluster.Directory, register, table, groups, topic => PartitionSettings.From(_cluster.Topics.ConfigOf(topic)).Tiering is not null,
            TimeSpan.FromMilliseconds(_cluster.Config.Get(BrokerConfigs.RemoteStorageBackupIntervalMs)), _cluster.Time, _cluster.Loggers.CreateLogger<ClusterBackup>());
    }

    private RemoteTier? NewRemoteTier()
    {
        if (_cluster.RemoteStore is not { } store)
            return null;
        var fetchBytesPerSecond = _cluster.Config.Get(BrokerConfigs.RemoteLogManagerFetchMaxBytesPerSecond);
        var paced = new PacedRemoteStore(store, _cluster.Config.Get(BrokerConfigs.RemoteLogManagerCopyMaxBytesPerSecond), fetchBytesPerSecond, _cluster.Time);
        var reading = new RemoteReadOptions
        {
            MemoryBytesMax = _cluster.Config.Get(BrokerConfigs.RemoteStorageMemoryMaxBytes),
            DiskBytesMax = _cluster.Config.Get(BrokerConfigs.RemoteStorageCacheMaxBytes),
        };
        var cache = new RemoteCache(
            paced, _cluster.Files, $"{_directory}/remote-cache", reading.At(fetchBytesPerSecond), _cluster.Time, _cluster.Loggers.CreateLogger<RemoteCache>());
        cache.Begin();
        return new RemoteTier(cache, new RemoteBacklog(_cluster.Config.Get(BrokerConfigs.RemoteStorageBacklogMaxBytes), _cluster.Loggers.CreateLogger<RemoteBacklog>()));
    }

    private TransactionCoordinator NewTransactions(ProducerIds ids, PausableRegister register)
    {
        var logger = _cluster.Loggers.CreateLogger<TransactionCoordinator>();
        var markers = new MarkerWriter(_cluster.Directory, PeerOf, register, _cluster.Time, logger);
        return new(
            TransactionTopic.Options(_cluster.Config),
            new TransactionPorts(_cluster.Time, new TopicDirectory(_cluster.Directory), ids, markers, logger));
    }

    // This broker itself is asked without a detour.
    private ICoordinatorPeer PeerOf(BrokerId id) =>
        id != Id ? _cluster.CoordinatorPeer(Id, id) : Broker ?? throw new IOException($"Broker {id} is not running.");

    private CoordinatorElection Elections(GroupCoordinator groups) => new(
        TopicName.ConsumerOffsets,
        (partition, epoch, records) => groups.ElectAsync(partition, epoch, records, records),
        (partition, epoch) => groups.ResignAsync(partition, epoch), _cluster.Time, _logger);

    private CoordinatorElection Elections(ShareCoordinator shares) => new(
        TopicName.ShareGroupState,
        (partition, epoch, records) => shares.ElectAsync(partition, epoch, records, records),
        (partition, epoch) => shares.ResignAsync(partition, epoch), _cluster.Time, _logger);

    private CoordinatorElection Elections(TransactionCoordinator transactions) => new(
        TopicName.TransactionState,
        (partition, epoch, records) => transactions.ElectAsync(partition, epoch, records, records),
        (partition, epoch) => transactions.ResignAsync(partition, epoch), _cluster.Time, _logger);

    private GroupCoordinator NewGroups(ShareStateCalls states, GroupConfigs configs) => new(
        OffsetsTopic.Options(_cluster.Config),
        new GroupPorts(_cluster.Time, new TopicDirectory(_cluster.Directory), Guid.NewGuid, _cluster.Loggers.CreateLogger<GroupCoordinator>())
        {
            ShareStates = states,
            TimingsOf = configs.FindTimings,
            FindEndAsync = new PartitionEnds(_cluster.Directory, PeerOf).FindAsync,
        });

    private ShareCoordinator NewShares() => new(
        ShareStateTopic.Options(_cluster.Config),
        new SharePorts(_cluster.Time, new TopicDirectory(_cluster.Directory), _cluster.Loggers.CreateLogger<ShareCoordinator>()));

    private IEnumerable<TopicPartition> Mine(TopicImage topic, int from) =>
        Enumerable.Range(from, topic.Partitions.Length - from)
            .Where(index => topic.Partitions[index].Replicas.Contains(Id))
            .Select(index => new TopicPartition(topic.Name, index));

    private static async Task OpenAsync(Life life, Guid topicId, TopicPartition id, PartitionSettings settings)
    {
        await life.Broker.Store.OpenAsync(topicId, id, settings);
        // It may have been elected before it was in the table, where the observer looks.
        if (life.Broker.Partitions.Find(id) is { IsLeader: true } partition)
            life.Led(partition, partition.LeaderEpoch);
    }

    /// <summary>A reassignment gave this broker a replica, or took one from it.</summary>
    private async Task FollowAssignmentAsync(Life life, TopicPartition id)
    {
        await Gate.PassAsync();
        using var turn = await TakeTurnAsync();
        try
        {
            if (_life != life || _cluster.Directory.Image.FindTopic(id.Topic) is not { } topic || (uint)id.Partition >= (uint)topic.Partitions.Length)
                return;
            if (topic.Partitions[id.Partition].Replicas.Contains(Id))
                await OpenAsync(life, topic.Id, id, PartitionSettings.From(_cluster.Topics.ConfigOf(topic)));
            else
                await DropAsync(life, id);
        }
        catch (IOException failed)
        {
            _logger.LogError("Broker {Broker} could not follow the reassignment of {Partition}: {Reason}", Id, id, failed.Message);
        }
    }

    /// <summary>Partitions that moved to other brokers while this one was away have no replica here any more.</summary>
    private async Task DropUnassignedAsync(Life life)
    {
        using var turn = await TakeTurnAsync();
        var held = _cluster.Files.List(_directory).Where(entry => entry.IsDirectory).Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        var unassigned =
            from topic in _cluster.Directory.Image.Topics.Values
            from index in Enumerable.Range(0, topic.Partitions.Length)
            let id = new TopicPartition(topic.Name, index)
            where !topic.Partitions[index].Replicas.Contains(Id) && held.Contains(id.ToString())
            select id;
        foreach (var id in unassigned.ToList())
            await DropAsync(life, id);
        foreach (var name in held)
        {
            if (PartitionRecord.TryParseKey(PartitionRecord.KeyPrefix + name, out var id) && _cluster.Directory.Image.FindTopic(id.Topic) is null)
                await DropStrayAsync(life, id);
        }
    }

    // Its topic was deleted while this broker was away.
    private async Task DropStrayAsync(Life life, TopicPartition id)
    {
        if (await _cluster.Register.GetAsync(TopicRecord.KeyOf(id.Topic), CancellationToken.None) is not null)
            return;
        await life.Broker.Store.DeleteAsync(id);
        _logger.LogInformation("Broker {Broker} deleted its replica of {Partition}, whose topic is no more", Id, id);
    }

    // What the register itself does not say is with others stays: it may be the last copy.
    private async Task DropAsync(Life life, TopicPartition id)
    {
        if (await _cluster.Topics.Partitions.ReadAsync(id, CancellationToken.None) is not { } current || current.Record.Replicas.Contains(Id))
            return;
        await life.Broker.Store.DeleteAsync(id);
        _logger.LogInformation("Broker {Broker} deleted its replica of {Partition}, which is on {Replicas} now", Id, id, string.Join(", ", current.Record.Replicas));
    }

    /// <summary>True when everything was flushed and closed.</summary>
    private async Task<bool> CloseAsync(Life life)
    {
        if (life.Endpoint is { } endpoint)
            await endpoint.DisposeAsync();
        if (life.Housekeeping is { } housekeeping)
            await housekeeping.DisposeAsync();
        await life.Ending.CancelAsync();
        await life.Broker.Groups.CloseAsync();
        await life.Broker.Transactions.CloseAsync();
        await life.Broker.ShareStates.CloseAsync();
        life.Broker.Sharing.Dispose();
        using var turn = await TakeTurnAsync();
        try
        {
            await life.Replicas.DisposeAsync();
            return true;
        }
        catch (IOException failed)
        {
            _logger.LogError("Broker {Broker} did not stop cleanly: {Reason}", Id, failed.Message);
            return false;
        }
    }

    private async ValueTask<Turn> TakeTurnAsync()
    {
        await _changing.WaitAsync();
        return new Turn(_changing);
    }

    private sealed record Life(
        BrokerLife Began, BrokerReplicas Replicas, Broker Broker, CoordinatorElection Offsets, CoordinatorElection Transactions,
        CoordinatorElection Shares, CancellationTokenSource Ending)
    {
        public void Led(Partition partition, LeaderEpoch epoch)
        {
            Offsets.Led(partition, epoch);
            Transactions.Led(partition, epoch);
            Shares.Led(partition, epoch);
        }

        public RemoteBacklog? Backlog { get; init; }

        public IAsyncDisposable? Endpoint { get; set; }

        public Housekeeping? Housekeeping { get; set; }
    }

    private readonly struct Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
