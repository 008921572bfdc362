using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Tiering;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Topics;

/// <summary>
/// Changes topics: decides, writes the metadata register, shows the change in the cluster's image and has the brokers
/// follow it. One change at a time; reading the image takes no turn. A change that a crash cut short is taken up again
/// by <see cref="EndChangesCutShortAsync"/>.
/// </summary>
public sealed class TopicControl : IDisposable
{
    private const long RegisterRetryDelayMs = 100;

    private readonly IMetadataRegister _register;
    private readonly ClusterDirectory _cluster;
    private readonly IReplicaHosts _hosts;
    private readonly ConfigValues _defaults;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _turn = new(1);

    /// <param name="register">Where topics and partitions are recorded.</param>
    /// <param name="cluster">Shows the changes.</param>
    /// <param name="hosts">Follows them.</param>
    /// <param name="defaults">What holds where a topic sets nothing of its own.</param>
    /// <param name="recordChanged">Told of each partition record that is written here.</param>
    /// <param name="time">Waits between attempts to reach the register.</param>
    /// <param name="logger">Told of what was changed.</param>
    public TopicControl(
        IMetadataRegister register, ClusterDirectory cluster, IReplicaHosts hosts, ConfigValues defaults,
        Action<TopicPartition, PartitionRecord> recordChanged, TimeProvider time, ILogger<TopicControl> logger)
    {
        _register = register;
        _cluster = cluster;
        _hosts = hosts;
        _defaults = defaults;
        _logger = logger;
        Partitions = new PartitionRegister(register, () => Guid.NewGuid().ToString("N"), time, RegisterRetryDelayMs) { Changed = recordChanged };
    }

    /// <summary>The cluster as of the last completed change.</summary>
    public ClusterImage Image => _cluster.Image;

    /// <summary>What holds where a topic sets nothing of its own: the brokers' configuration.</summary>
    public ConfigValues Defaults => _defaults;

    /// <summary>The records of the partitions.</summary>
    public PartitionRegister Partitions { get; }

    /// <summary>Who follows the changes.</summary>
    internal IReplicaHosts Hosts => _hosts;

    /// <summary>Where topics with <c>remote.storage.enable</c> keep their segments; null where there is none.</summary>
    public OwnedRemoteStore? RemoteStore { get; init; }

    /// <summary>Reads every topic and broker in the register into the image.</summary>
    public async Task LoadAsync(string clusterId, CancellationToken cancellationToken)
    {
        var topics = ImmutableSortedDictionary.CreateBuilder<string, TopicImage>(StringComparer.Ordinal);
        foreach (var key in await _register.ListAsync(TopicRecord.KeyPrefix, cancellationToken))
        {
            if (await FindTopicAsync(key, cancellationToken) is { } topic)
                topics.Add(topic.Name, topic);
        }
        _cluster.Update(image => new ClusterImage(clusterId, image.Brokers, topics.ToImmutable()));
        foreach (var key in await _register.ListAsync(BrokerRecord.KeyPrefix, cancellationToken))
        {
            if (await _register.GetAsync(key, cancellationToken) is { } entry)
                _cluster.Registered(BrokerRecord.Parse(entry.Document.Span));
        }
    }

    /// <summary>
    /// Deletes what is left of topics whose deletion or creation was cut short. Only for one broker at a time: a creation
    /// that goes on elsewhere would be taken for one that was cut short.
    /// </summary>
    public async Task EndChangesCutShortAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var orphans = (await _register.ListAsync(PartitionRecord.KeyPrefix, cancellationToken)).ToHashSet(StringComparer.Ordinal);
            foreach (var key in await _register.ListAsync(TopicRecord.KeyPrefix, cancellationToken))
            {
                var (record, version) = await ReadAsync(key);
                orphans.ExceptWith(record.PartitionsFrom(0).Select(PartitionRecord.KeyOf));
                if (record.State == TopicState.Deleting)
                    await RemoveAsync(record, version);
            }
            foreach (var key in orphans)
                await ForgetAsync(key, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>A topic as the register has it; null where it has none, or one that is being deleted.</summary>
    internal async Task<TopicImage?> FindTopicAsync(string key, CancellationToken cancellationToken)
    {
        if (await _register.GetAsync(key, cancellationToken) is not { } entry)
            return null;
        var record = TopicRecord.Parse(key, entry.Document.Span);
        return record.State == TopicState.Deleting ? null : record.ToImage(await ReadPartitionsAsync(record, cancellationToken));
    }

    /// <summary>
    /// Takes a broker out of the register that does not live and has no replica; false when there is none of that id, or it
    /// has just started.
    /// </summary>
    internal async Task<bool> ForgetBrokerAsync(BrokerId broker, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var entry = await _register.GetAsync(BrokerRecord.KeyOf(broker), cancellationToken);
            if (entry is null || BrokerRemoval.Refuse(broker, Image) is not null)
                return false;
            if (!await _register.DeleteAsync(BrokerRecord.KeyOf(broker), entry.Version, cancellationToken))
                return false;
            _cluster.Update(image => image.Forgetting(broker));
            return true;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Creates a topic; with <paramref name="validateOnly"/> only says whether it could.</summary>
    public Task<TopicOutcome> CreateAsync(NewTopic topic, bool validateOnly, CancellationToken cancellationToken) => InTurnAsync(async () =>
    {
        var partitionCount = topic.PartitionCount == -1 ? _defaults.Get(BrokerConfigs.NumPartitions) : topic.PartitionCount;
        var factor = topic.ReplicationFactor == -1 ? _defaults.Get(BrokerConfigs.DefaultReplicationFactor) : topic.ReplicationFactor;
        if ((Refuse(topic, partitionCount, factor) ?? await RefuseStoreAsync(PartitionSettings.From(_defaults.ForTopic(topic.Config)), cancellationToken)) is { } refused)
            return refused;
        var replicas = topic.Assignment is { } chosen
            ? ReplicaAssignment.Chosen(chosen)
            : ReplicaAssignment.Place(Image, 0, partitionCount, factor);
        var record = new TopicRecord(topic.Name, Guid.NewGuid(), TopicState.Active, replicas.Length, new(topic.Config));
        var created = record.ToImage(replicas.Select(NewPartition));
        return validateOnly ? TopicOutcome.Changed(created) : await WriteAndOpenAsync(record, created, from: 0, expected: null);
    }, cancellationToken);

    /// <summary>
    /// Makes a topic again that a remote store knows of. Where it is kept there no broker has anything of it, and whoever comes
    /// to lead goes on after what the store has. Nothing changes when it is there already.
    /// </summary>
    internal Task<TopicOutcome> RestoreAsync(BackedUpTopic topic, CancellationToken cancellationToken) => InTurnAsync(async () =>
    {
        if (Image.FindTopic(topic.Name) is { } present)
        {
            return present.Id == topic.Id
                ? TopicOutcome.Changed(present)
                : TopicOutcome.Refused(ErrorCode.TopicAlreadyExists, $"There is another topic '{topic.Name}' already.");
        }
        var replicas = ReplicaAssignment.Place(Image, 0, topic.Partitions, Math.Min(topic.ReplicationFactor, Image.Brokers.Length));
        var record = new TopicRecord(topic.Name, topic.Id, TopicState.Active, topic.Partitions, topic.Config);
        var isStored = PartitionSettings.From(_defaults.ForTopic(topic.Config.ToImmutableDictionary())).Tiering is not null;
        return await WriteAndOpenAsync(record, record.ToImage(replicas.Select(each => isStored ? LostPartition(each) : NewPartition(each))), from: 0, expected: null);
    }, cancellationToken);

    /// <summary>Deletes a topic and its records.</summary>
    public Task<TopicOutcome> DeleteAsync(string name, CancellationToken cancellationToken) => InTurnAsync(async () =>
    {
        if (Image.FindTopic(name) is not { } topic)
            return Unknown(name);
        if (!_defaults.Get(BrokerConfigs.DeleteTopicEnable))
            return TopicOutcome.Refused(ErrorCode.TopicDeletionDisabled, "This broker does not delete topics (delete.topic.enable=false).");
        var (record, version) = await ReadAsync(TopicRecord.KeyOf(name));
        record = record with { State = TopicState.Deleting };
        var deleting = await WriteAsync(record, version);
        _cluster.Update(image => image.Without(topic));
        await RemoveAsync(record, deleting);
        await _hosts.ForgetOffsetsAsync([.. record.PartitionsFrom(0)]);
        return TopicOutcome.Changed(topic);
    }, cancellationToken);

    /// <summary>Adds partitions up to <paramref name="count"/> in all; existing ones stay where they are.</summary>
    public Task<TopicOutcome> AddPartitionsAsync(
        string name, int count, IReadOnlyList<IReadOnlyList<BrokerId>>? assignment, bool validateOnly, CancellationToken cancellationToken) =>
        InTurnAsync(async () =>
    {
        if (Image.FindTopic(name) is not { } topic)
            return Unknown(name);
        var existing = topic.Partitions.Length;
        var factor = topic.Partitions[0].Replicas.Length;
        if (RefuseGrowth(existing, count, factor, assignment) is { } refused)
            return refused;
        var added = assignment is null
            ? ReplicaAssignment.Place(Image, existing, count - existing, factor)
            : ReplicaAssignment.Chosen(assignment);
        var (record, version) = await ReadAsync(TopicRecord.KeyOf(name));
        record = record with { PartitionCount = count };
        var grown = record.ToImage(topic.Partitions.Concat(added.Select(NewPartition)));
        return validateOnly ? TopicOutcome.Changed(grown) : await WriteAndOpenAsync(record, grown, existing, version);
    }, cancellationToken);

    /// <summary>Replaces what a topic sets of its own with what <paramref name="change"/> makes of it.</summary>
    public Task<TopicOutcome> AlterConfigAsync(
        string name, Func<ImmutableDictionary<string, string>, ConfigChangeResult> change, bool validateOnly, CancellationToken cancellationToken) =>
        InTurnAsync(async () =>
    {
        if (Image.FindTopic(name) is not { } topic)
            return Unknown(name);
        var changed = change(topic.Config.ToImmutableDictionary());
        if (changed.Error != ErrorCode.None)
            return TopicOutcome.Refused(changed.Error, changed.Message!);
        var altered = topic with { Config = changed.Overrides.ToImmutableSortedDictionary() };
        if (RemoteStorageRules.Refuse(SettingsOf(topic), SettingsOf(altered), name, RemoteStore is not null) is { } problem)
            return TopicOutcome.Refused(ErrorCode.InvalidConfig, problem);
        if (SettingsOf(topic).Tiering is null && await RefuseStoreAsync(SettingsOf(altered), cancellationToken) is { } others)
            return others;
        if (validateOnly)
            return TopicOutcome.Changed(altered);
        var (record, version) = await ReadAsync(TopicRecord.KeyOf(name));
        await WriteAsync(record with { Config = new(altered.Config) }, version);
        _cluster.Update(image => image.FindTopic(name) is { } present ? image.With(present with { Config = altered.Config }) : image);
        _hosts.Configure(name, SettingsOf(altered));
        return TopicOutcome.Changed(altered);
    }, cancellationToken);

    /// <summary>What holds for a topic: its own settings, then the broker's, then the defaults.</summary>
    public ConfigValues ConfigOf(TopicImage topic) => _defaults.ForTopic(topic.Config.ToImmutableDictionary());

    public void Dispose() => _turn.Dispose();

    private PartitionSettings SettingsOf(TopicImage topic) => PartitionSettings.From(ConfigOf(topic));

    private TopicOutcome? Refuse(NewTopic topic, int partitionCount, int factor)
    {
        if (TopicName.Refuse(topic.Name) is { } reason)
            return TopicOutcome.Refused(ErrorCode.InvalidTopicException, reason);
        if (Image.FindTopic(topic.Name) is not null)
            return TopicOutcome.Refused(ErrorCode.TopicAlreadyExists, $"There is a topic '{topic.Name}' already.");
        foreach (var (name, value) in topic.Config)
        {
            if (TopicConfigs.All.Check(name, value) is { } problem)
                return TopicOutcome.Refused(ErrorCode.InvalidConfig, problem);
        }
        if (RemoteStorageRules.Refuse(null, PartitionSettings.From(_defaults.ForTopic(topic.Config)), topic.Name, RemoteStore is not null) is { } unkept)
            return TopicOutcome.Refused(ErrorCode.InvalidConfig, unkept);
        return ReplicaAssignment.Refuse(topic, partitionCount, factor, Image);
    }

    private async Task<TopicOutcome?> RefuseStoreAsync(PartitionSettings settings, CancellationToken cancellationToken) =>
        settings.Tiering is not null && RemoteStore is { } store && await store.FindRefusalAsync(cancellationToken) is { } refusal
            ? TopicOutcome.Refused(ErrorCode.InvalidConfig, refusal)
            : null;

    private TopicOutcome? RefuseGrowth(int existing, int count, int factor, IReadOnlyList<IReadOnlyList<BrokerId>>? assignment)
    {
        if (count <= existing)
            return TopicOutcome.Refused(ErrorCode.InvalidPartitions, $"The topic has {existing} partitions, and they can only become more; {count} were asked for.");
        if (count > ReplicaAssignment.PartitionsMax)
            return TopicOutcome.Refused(ErrorCode.InvalidPartitions, $"A topic can have up to {ReplicaAssignment.PartitionsMax} partitions; {count} were asked for.");
        if (assignment is null)
            return ReplicaAssignment.RefuseFactor(factor, Image);
        return assignment.Count == count - existing
            ? ReplicaAssignment.RefuseAssignment(assignment, Image)
            : TopicOutcome.Refused(ErrorCode.InvalidReplicaAssignment, $"{count - existing} partitions are to be added, {assignment.Count} were assigned.");
    }

    /// <summary>
    /// The partitions' records first, then the topic's, which makes them count: what a crash leaves without one is
    /// deleted at the next start.
    /// </summary>
    private async Task<TopicOutcome> WriteAndOpenAsync(TopicRecord record, TopicImage topic, int from, RegisterVersion? expected)
    {
        var partitions = await Task.WhenAll(record.PartitionsFrom(from).Select(id => WriteNewAsync(record, id, topic.Partitions[id.Partition])));
        topic = topic with { Partitions = [.. topic.Partitions.Take(from), .. partitions] };
        var version = await WriteAsync(record, expected);
        _cluster.Update(image => image.With(WithKnown(topic, from, image)));
        try
        {
            await _hosts.OpenAsync(topic, from, SettingsOf(topic));
        }
        catch (IOException) when (from == 0)
        {
            _cluster.Update(image => image.Without(topic));
            await RemoveAsync(record, version);
            throw;
        }
        return TopicOutcome.Changed(Image.FindTopic(topic.Name) ?? topic);
    }

    /// <summary>A topic that grows keeps what became of its earlier partitions meanwhile.</summary>
    private static TopicImage WithKnown(TopicImage topic, int from, ClusterImage image) => image.FindTopic(topic.Id) is { } known
        ? topic with { Partitions = [.. known.Partitions.Take(from), .. topic.Partitions.Skip(from)] }
        : topic;

    private PartitionRecord NewPartition(ImmutableArray<BrokerId> replicas) =>
        PartitionRecord.Create(replicas.Select(id => new InSyncReplica(id, _cluster.EpochOf(id))), nonce: "");

    // Before their first start nobody had a disk.
    private static PartitionRecord LostPartition(ImmutableArray<BrokerId> replicas) =>
        PartitionRecord.Create(replicas.Select(id => new InSyncReplica(id, 0)), nonce: "");

    // What lies there already is what a crash left of an earlier attempt, unless the topic counts it as its own by now.
    private async Task<PartitionRecord> WriteNewAsync(TopicRecord topic, TopicPartition id, PartitionRecord record)
    {
        var left = await Partitions.ReadAsync(id, CancellationToken.None);
        if (left is not null && await _register.GetAsync(TopicRecord.KeyOf(topic.Name), CancellationToken.None) is { } present
            && TopicRecord.Parse(topic.Name, present.Document.Span).PartitionCount > id.Partition)
            throw Overtaken(id.ToString());
        var change = await Partitions.ChangeAsync(id, record, left?.Version, CancellationToken.None);
        return change.IsAccepted ? change.Current!.Record : throw Overtaken(id.ToString());
    }

    private async Task<PartitionRecord[]> ReadPartitionsAsync(TopicRecord topic, CancellationToken cancellationToken) =>
        await Task.WhenAll(topic.PartitionsFrom(0).Select(async id =>
            (await Partitions.ReadAsync(id, cancellationToken))?.Record
            ?? throw new InvalidDataException($"The metadata register has lost '{PartitionRecord.KeyOf(id)}'.")));

    private async Task RemoveAsync(TopicRecord record, RegisterVersion version)
    {
        await _hosts.DeleteAsync(record.Name, record.PartitionCount);
        foreach (var id in record.PartitionsFrom(0))
            await Partitions.DeleteAsync(id, CancellationToken.None);
        await _register.DeleteAsync(TopicRecord.KeyOf(record.Name), version, CancellationToken.None);
        _logger.LogInformation("Deleted topic {Topic}", record.Name);
        if (RemoteStore is { } store)
            await RemoteTopics.DeleteAsync(store, record.Id, _logger);
    }

    private async Task ForgetAsync(string key, CancellationToken cancellationToken)
    {
        if (await _register.GetAsync(key, cancellationToken) is { } entry)
            await _register.DeleteAsync(key, entry.Version, cancellationToken);
    }

    private async Task<(TopicRecord Record, RegisterVersion Version)> ReadAsync(string key)
    {
        var entry = await _register.GetAsync(key, CancellationToken.None)
            ?? throw new InvalidDataException($"The metadata register has lost '{key}'.");
        return (TopicRecord.Parse(key, entry.Document.Span), entry.Version);
    }

    private async Task<RegisterVersion> WriteAsync(TopicRecord record, RegisterVersion? expected) =>
        await _register.PutAsync(TopicRecord.KeyOf(record.Name), record.Serialize(), expected, CancellationToken.None)
        ?? throw Overtaken($"Topic '{record.Name}'");

    private static IOException Overtaken(string what) => new($"{what} was changed by somebody else at the same time; try again.");

    private static TopicOutcome Unknown(string name) =>
        TopicOutcome.Refused(ErrorCode.UnknownTopicOrPartition, $"There is no topic '{name}'.");

    /// <summary>One change at a time. A register or disk that fails is the caller's error, not the end of the broker.</summary>
    private async Task<TopicOutcome> InTurnAsync(Func<Task<TopicOutcome>> change, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await change();
        }
        catch (IOException failed)
        {
            _logger.LogError(failed, "A change of topics failed");
            return TopicOutcome.Refused(ErrorCode.KafkaStorageError, failed.Message);
        }
        finally
        {
            _turn.Release();
        }
    }
}
