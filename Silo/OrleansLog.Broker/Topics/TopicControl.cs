using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Partitions;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Topics;

/// <summary>
/// Changes topics: decides, writes the metadata register, opens or deletes the logs, and then shows the change in
/// <see cref="Image"/>. One change at a time; reading the image takes no turn. A change that a crash cut short is
/// taken up again by <see cref="LoadAsync"/>.
/// </summary>
public sealed class TopicControl(
    IMetadataRegister register, IReadOnlyDictionary<BrokerId, PartitionStore> stores, ConfigValues defaults, ILogger<TopicControl> logger)
    : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private ClusterImage? _image;

    /// <summary>The cluster as of the last completed change.</summary>
    public ClusterImage Image => Volatile.Read(ref _image) ?? throw new InvalidOperationException("The topics are not loaded yet.");

    /// <summary>What holds where a topic sets nothing of its own: the brokers' configuration.</summary>
    public ConfigValues Defaults => defaults;

    /// <summary>Told of every topic that was created or grew, when its partitions are open, before clients see them.</summary>
    public Func<TopicImage, ValueTask> OnPartitionsOpened { get; set; } = _ => default;

    /// <summary>Told of every topic that is gone.</summary>
    public Func<TopicImage, ValueTask> OnDeleted { get; set; } = _ => default;

    /// <summary>Opens every topic in the register, many partitions side by side.</summary>
    public async Task LoadAsync(string clusterId, ImmutableArray<BrokerImage> brokers, CancellationToken cancellationToken)
    {
        var topics = ImmutableSortedDictionary.CreateBuilder<string, TopicImage>(StringComparer.Ordinal);
        foreach (var key in await register.ListAsync(TopicRecord.KeyPrefix, cancellationToken))
        {
            var (record, version) = await ReadAsync(key);
            if (record.State == TopicState.Deleting)
                await RemoveAsync(record, version);
            else
                topics.Add(record.Name, record.ToImage());
        }
        await OpenAsync(topics.Values.SelectMany(topic => PartitionsOf(topic, from: 0)));
        Volatile.Write(ref _image, new ClusterImage(clusterId, brokers, topics.ToImmutable()));
        foreach (var topic in topics.Values)
            await OnPartitionsOpened(topic);
    }

    /// <summary>Creates a topic; with <paramref name="validateOnly"/> only says whether it could.</summary>
    public Task<TopicOutcome> CreateAsync(NewTopic topic, bool validateOnly, CancellationToken cancellationToken) => InTurnAsync(async () =>
    {
        var partitionCount = topic.PartitionCount == -1 ? defaults.Get(BrokerConfigs.NumPartitions) : topic.PartitionCount;
        var factor = topic.ReplicationFactor == -1 ? defaults.Get(BrokerConfigs.DefaultReplicationFactor) : topic.ReplicationFactor;
        if (Refuse(topic, partitionCount, factor) is { } refused)
            return refused;
        var partitions = topic.Assignment is { } chosen
            ? ReplicaAssignment.Chosen(chosen)
            : ReplicaAssignment.Spread(Image.Topics.Count, 0, partitionCount, Image);
        var record = new TopicRecord(topic.Name, Guid.NewGuid(), TopicState.Active, partitions, new(topic.Config));
        var created = record.ToImage();
        return validateOnly ? TopicOutcome.Changed(created) : await OpenAndWriteAsync(record, from: 0, expected: null);
    }, cancellationToken);

    /// <summary>Deletes a topic and its records.</summary>
    public Task<TopicOutcome> DeleteAsync(string name, CancellationToken cancellationToken) => InTurnAsync(async () =>
    {
        if (Image.FindTopic(name) is not { } topic)
            return Unknown(name);
        if (!defaults.Get(BrokerConfigs.DeleteTopicEnable))
            return TopicOutcome.Refused(ErrorCode.TopicDeletionDisabled, "This broker does not delete topics (delete.topic.enable=false).");
        var (record, version) = await ReadAsync(TopicRecord.KeyOf(name));
        record = record with { State = TopicState.Deleting };
        var deleting = await WriteAsync(record, version);
        Volatile.Write(ref _image, Image.Without(name));
        await RemoveAsync(record, deleting);
        await OnDeleted(topic);
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
        if (RefuseGrowth(existing, count, assignment) is { } refused)
            return refused;
        var added = assignment is null
            ? ReplicaAssignment.Spread(topic.Partitions[0].Leader.Value, existing, count, Image)
            : ReplicaAssignment.Chosen(assignment);
        var (record, version) = await ReadAsync(TopicRecord.KeyOf(name));
        record = record with { Partitions = [.. record.Partitions, .. added] };
        return validateOnly ? TopicOutcome.Changed(record.ToImage()) : await OpenAndWriteAsync(record, existing, version);
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
        if (validateOnly)
            return TopicOutcome.Changed(altered);
        var (record, version) = await ReadAsync(TopicRecord.KeyOf(name));
        await WriteAsync(record with { Config = new(altered.Config) }, version);
        foreach (var store in stores.Values)
            store.Configure(name, SettingsOf(altered));
        Volatile.Write(ref _image, Image.With(altered));
        return TopicOutcome.Changed(altered);
    }, cancellationToken);

    /// <summary>What holds for a topic: its own settings, then the broker's, then the defaults.</summary>
    public ConfigValues ConfigOf(TopicImage topic) => defaults.ForTopic(topic.Config.ToImmutableDictionary());

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
        return ReplicaAssignment.Refuse(topic, partitionCount, factor, Image);
    }

    private TopicOutcome? RefuseGrowth(int existing, int count, IReadOnlyList<IReadOnlyList<BrokerId>>? assignment)
    {
        if (count <= existing)
            return TopicOutcome.Refused(ErrorCode.InvalidPartitions, $"The topic has {existing} partitions, and they can only become more; {count} were asked for.");
        if (count > ReplicaAssignment.PartitionsMax)
            return TopicOutcome.Refused(ErrorCode.InvalidPartitions, $"A topic can have up to {ReplicaAssignment.PartitionsMax} partitions; {count} were asked for.");
        if (assignment is null)
            return null;
        return assignment.Count == count - existing
            ? ReplicaAssignment.RefuseAssignment(assignment, Image)
            : TopicOutcome.Refused(ErrorCode.InvalidReplicaAssignment, $"{count - existing} partitions are to be added, {assignment.Count} were assigned.");
    }

    /// <summary>
    /// Logs first, then the record that makes them a topic, then the image: a crash in between leaves empty directories
    /// that the next attempt takes over.
    /// </summary>
    private async Task<TopicOutcome> OpenAndWriteAsync(TopicRecord record, int from, RegisterVersion? expected)
    {
        var topic = record.ToImage();
        await OpenAsync(PartitionsOf(topic, from));
        await WriteAsync(record, expected);
        await OnPartitionsOpened(topic);
        Volatile.Write(ref _image, Image.With(topic));
        return TopicOutcome.Changed(topic);
    }

    private IEnumerable<PartitionToOpen> PartitionsOf(TopicImage topic, int from)
    {
        var settings = SettingsOf(topic);
        return Enumerable.Range(from, topic.Partitions.Length - from)
            .Where(index => stores.ContainsKey(topic.Partitions[index].Leader))
            .Select(index => new PartitionToOpen(
                topic.Partitions[index].Leader, topic.Id, new TopicPartition(topic.Name, index), topic.Partitions[index].LeaderEpoch, settings));
    }

    private Task OpenAsync(IEnumerable<PartitionToOpen> partitions) => Parallel.ForEachAsync(partitions, async (partition, _) =>
        await stores[partition.Leader].OpenAsync(partition.TopicId, partition.Id, partition.Epoch, partition.Settings));

    private async Task RemoveAsync(TopicRecord record, RegisterVersion version)
    {
        foreach (var store in stores.Values)
            await store.DeleteTopicAsync(record.Name, record.Partitions.Count);
        await register.DeleteAsync(TopicRecord.KeyOf(record.Name), version, CancellationToken.None);
        logger.LogInformation("Deleted topic {Topic}", record.Name);
    }

    private async Task<(TopicRecord Record, RegisterVersion Version)> ReadAsync(string key)
    {
        var entry = await register.GetAsync(key, CancellationToken.None)
            ?? throw new InvalidDataException($"The metadata register has lost '{key}'.");
        return (TopicRecord.Parse(key, entry.Document.Span), entry.Version);
    }

    private async Task<RegisterVersion> WriteAsync(TopicRecord record, RegisterVersion? expected) =>
        await register.PutAsync(TopicRecord.KeyOf(record.Name), record.Serialize(), expected, CancellationToken.None)
        ?? throw new IOException($"Topic '{record.Name}' was changed by somebody else at the same time; try again.");

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
            logger.LogError(failed, "A change of topics failed");
            return TopicOutcome.Refused(ErrorCode.KafkaStorageError, failed.Message);
        }
        finally
        {
            _turn.Release();
        }
    }

    private sealed record PartitionToOpen(
        BrokerId Leader, Guid TopicId, TopicPartition Id, LeaderEpoch Epoch, PartitionSettings Settings);
}
