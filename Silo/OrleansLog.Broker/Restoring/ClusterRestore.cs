using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Producers;
using OrleansLog.Broker.Shares;
using OrleansLog.Broker.Tiering;
using OrleansLog.Broker.Topics;
using OrleansLog.Coordination;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Restoring;

/// <summary>
/// Brings a cluster that was lost with all its disks back into an empty one, from its remote store alone: first the store changes
/// hands, then come the topics, whose leaders begin where the store ends, then what groups had committed
/// (<see cref="CommitsAsync"/>, for the caller to commit), and at the end (<see cref="EndAsync"/>) the new cluster keeps its own
/// topics there. Each step may be taken again after it was cut short. One caller at a time.
/// </summary>
public sealed class ClusterRestore(OwnedRemoteStore store, TopicControl topics, IMetadataRegister register, TimeProvider time, ILogger<ClusterRestore> logger)
{
    private const int ReadsAtOnceMax = 32;
    private static readonly TimeSpan DeadAfter = TimeSpan.FromMinutes(5);

    private IReadOnlyDictionary<TopicPartition, Offset>? _ends;

    /// <summary>Finds out what would come back. Changes nothing.</summary>
    /// <exception cref="IOException">The store cannot be read, or holds what nobody wrote there.</exception>
    public async Task<RestorePlan> PlanAsync(CancellationToken cancellationToken)
    {
        var owner = (await StoreOwner.FindAsync(store.Unowned, cancellationToken))?.Owner;
        var found = await BackedUpTopics.FindAsync(store.Unowned, cancellationToken);
        var alive = await SignOfLife.FindAsync(store.Unowned, cancellationToken);
        List<PlannedTopic> planned = [];
        foreach (var topic in found?.Topics ?? [])
            planned.Add(await PlanAsync(topic, cancellationToken));
        var offsets = await BackedUpOffsets.FindAllAsync(store.Unowned, cancellationToken).ToListAsync(cancellationToken);
        return new(
            owner?.ClusterId, store.ClusterId, found?.AtMs, offsets.Count == 0 ? null : offsets.Max(each => each.AtMs), alive?.AtMs, planned,
            offsets.SelectMany(each => each.Commits).Select(commit => commit.Group).Distinct(StringComparer.Ordinal).Count(),
            Refuse(owner, found), SeemsAlive(owner, alive));
    }

    /// <summary>Makes the store this cluster's, and the topics anew. Tells of each as it is there.</summary>
    /// <param name="mayLive">Whether to go on although the owner seems to live.</param>
    /// <param name="mayLack">Whether to go on although something in the store is damaged.</param>
    /// <param name="cancellationToken">Gives up; what is done stays.</param>
    /// <exception cref="RestoreRefusedException">It cannot be, and nothing was changed.</exception>
    /// <exception cref="IOException">The store or the register failed: try again.</exception>
    public async IAsyncEnumerable<RestoreStep> RunAsync(bool mayLive, bool mayLack, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var plan = await PlanAsync(cancellationToken);
        var damaged = plan.Topics.SelectMany(topic => topic.Partitions.Where(partition => partition.Damage is not null).Select(partition => $"{topic.Name}-{partition.Partition}: {partition.Damage}")).FirstOrDefault();
        if ((plan.Refusal ?? (mayLive ? null : plan.SeemsAlive) ?? (mayLack ? null : damaged)) is { } refusal)
            throw new RestoreRefusedException(refusal);
        await TakeOverAsync(cancellationToken);
        var backup = (await BackedUpTopics.FindAsync(store.Unowned, cancellationToken))!;
        await RestoreProducerIdsAsync(backup.NextProducerId, cancellationToken);
        foreach (var (group, config) in backup.Groups)
            await GroupConfigs.RestoreAsync(register, group, config, cancellationToken);
        _ends = EndsOf(plan);
        foreach (var (number, topic) in backup.Topics.Index())
        {
            var outcome = await topics.RestoreAsync(topic, cancellationToken);
            if (outcome.Error != ErrorCode.None)
                throw new IOException($"Topic '{topic.Name}' could not be made: {outcome.Message}");
            logger.LogInformation("Topic {Topic} is back", topic.Name);
            var factor = outcome.Topic!.Partitions[0].Replicas.Length;
            yield return new(topic.Name, number + 1, backup.Topics.Count, factor < topic.ReplicationFactor
                ? $"{factor} of {topic.ReplicationFactor} replicas, for there are no more brokers: see 'olog topics increase-replication {topic.Name}'"
                : null);
        }
    }

    /// <summary>
    /// What groups had committed, for partitions that are there; at the latest the end of what came back: what was after it is lost,
    /// and other records will lie at those offsets.
    /// </summary>
    /// <exception cref="IOException">The store cannot be read.</exception>
    public async IAsyncEnumerable<RestoredCommit> CommitsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var ends = _ends ??= EndsOf(await PlanAsync(cancellationToken));
        var all = await BackedUpOffsets.FindAllAsync(store, cancellationToken).ToListAsync(cancellationToken);
        // Of two that speak of one group, of before and after an earlier restore say, the later one is right.
        foreach (var commit in all.OrderByDescending(each => each.AtMs).SelectMany(each => each.Commits).DistinctBy(commit => (commit.Group, commit.Partition)))
        {
            if (ends.TryGetValue(commit.Partition, out var end))
                yield return new(commit with { Offset = Offset.Min(commit.Offset, end) }, commit.Offset > end);
        }
    }

    /// <summary>All is back: from now on this cluster keeps its own topics and offsets in the store.</summary>
    /// <exception cref="IOException">The store failed.</exception>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        if (await StoreOwner.FindAsync(store.Unowned, cancellationToken) is not var (owner, tag) || owner.ClusterId != store.ClusterId)
            throw new IOException("The remote store is not this cluster's: begin with the topics.");
        if (!await (owner with { IsRestoring = false }).TryWriteAsync(store.Unowned, tag, cancellationToken))
            throw new IOException("The remote store changed hands at the same time; try again.");
        store.Forget();
    }

    private async Task<PlannedTopic> PlanAsync(BackedUpTopic topic, CancellationToken cancellationToken)
    {
        var isStored = PartitionSettings.From(topics.Defaults.ForTopic(topic.Config.ToImmutableDictionary())).Tiering is not null;
        var isThere = topics.Image.FindTopic(topic.Id) is not null;
        if (!isStored)
            return new(topic.Name, topic.ReplicationFactor, isStored, isThere, [.. Enumerable.Range(0, topic.Partitions).Select(each => new PlannedPartition(each, 0, 0, 0, null))]);
        var sizes = await store.Unowned.ListAsync($"{topic.Id:N}/", cancellationToken).ToDictionaryAsync(each => each.Name, each => each.Length, cancellationToken: cancellationToken);
        var partitions = new PlannedPartition[topic.Partitions];
        await Parallel.ForAsync(0, topic.Partitions, new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnceMax, CancellationToken = cancellationToken }, async (number, cancellation) =>
            partitions[number] = await PlanAsync(new TopicPartition(topic.Name, number), topic.Id, sizes, cancellation));
        return new(topic.Name, topic.ReplicationFactor, isStored, isThere, partitions);
    }

    private async Task<PlannedPartition> PlanAsync(TopicPartition id, Guid topicId, Dictionary<string, long> sizes, CancellationToken cancellationToken)
    {
        try
        {
            var manifest = (await new ManifestFile(store.Unowned, RemoteTopics.PrefixOf(topicId, id), logger).ReadAsync(cancellationToken)).Manifest;
            var start = Offset.Max(manifest.LogStartOffset, Offset.Zero);
            return new(id.Partition, start.Value, manifest.NextOffset.Value, manifest.SizeInBytes, FindDamage(manifest, sizes));
        }
        catch (InvalidDataException damaged)
        {
            return new(id.Partition, 0, 0, 0, damaged.Message);
        }
    }

    private static string? FindDamage(RemoteManifest manifest, Dictionary<string, long> sizes)
    {
        var bad = manifest.Segments.Where(segment => sizes.GetValueOrDefault(segment.Name, -1) != segment.SizeInBytes || !sizes.ContainsKey(segment.IndexName)).ToList();
        return bad.Count == 0 ? null
            : $"{bad.Count} of {manifest.Segments.Length} segments are missing or of another length, so that offsets from {bad[0].BaseOffset} to {bad[0].NextOffset - 1L}{(bad.Count > 1 ? " and others" : "")} could not be read";
    }

    private string? Refuse(StoreOwner? owner, BackedUpTopics? found)
    {
        if (found is null)
            return "The remote store holds no topics of any cluster: there is nothing to restore.";
        if (owner?.ClusterId == store.ClusterId && !owner.IsRestoring)
            return $"The remote store belongs to this cluster ('{store.ClusterId}') already: there is nothing to restore.";
        var others = topics.Image.Topics.Values.Where(topic => !TopicName.IsInternal(topic.Name) && !found.Topics.Any(each => each.Id == topic.Id)).Select(topic => topic.Name).ToList();
        return others.Count == 0 ? null
            : $"This cluster has topics of its own ({string.Join(", ", others.Take(3))}{(others.Count > 3 ? ", ..." : "")}): restore into one that was just started and has none.";
    }

    private string? SeemsAlive(StoreOwner? owner, SignOfLife? alive)
    {
        if (alive is null || alive.ClusterId == store.ClusterId || owner?.ClusterId == store.ClusterId)
            return null;
        var age = time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(alive.AtMs);
        return age >= DeadAfter ? null
            : $"Cluster '{alive.ClusterId}', which the store belongs to, gave a sign of life {Math.Max(0, (long)age.TotalSeconds)} s ago. Two clusters on one store would destroy each other's: "
                + $"stop it for good, and wait until {(long)DeadAfter.TotalMinutes} minutes have passed or say that it is dead (--owner-is-dead).";
    }

    private async Task TakeOverAsync(CancellationToken cancellationToken)
    {
        var found = await StoreOwner.FindAsync(store.Unowned, cancellationToken);
        var owner = found?.Owner;
        if (owner?.ClusterId != store.ClusterId)
        {
            var next = new StoreOwner(store.ClusterId, IsRestoring: true, owner is null ? [] : [.. owner.Formerly, owner.ClusterId]);
            if (!await next.TryWriteAsync(store.Unowned, found?.Tag, cancellationToken))
                throw new IOException("The remote store changed hands at the same time; try again.");
            logger.LogWarning("The remote store of cluster {Former} is now this cluster's, {Cluster}", owner?.ClusterId, store.ClusterId);
        }
        store.Forget();
        await store.RequireAsync(cancellationToken);
    }

    // Ids that were given after the last backup, too, must not be given again.
    private async Task RestoreProducerIdsAsync(long next, CancellationToken cancellationToken)
    {
        const long Margin = 10_000_000;
        while (true)
        {
            var entry = await register.GetAsync(ProducerIdRegister.Key, cancellationToken);
            if (entry is not null && ProducerIdRecord.Parse(entry.Document.Span).NextProducerId >= next)
                return;
            if (await register.PutAsync(ProducerIdRegister.Key, new ProducerIdRecord(next + Margin).Serialize(), entry?.Version, cancellationToken) is not null)
                return;
        }
    }

    private static Dictionary<TopicPartition, Offset> EndsOf(RestorePlan plan) => plan.Topics
        .SelectMany(topic => topic.Partitions.Select(partition => (Id: new TopicPartition(topic.Name, partition.Partition), partition.End)))
        .ToDictionary(each => each.Id, each => new Offset(each.End));
}

/// <summary>What a group had committed, as it can be committed again.</summary>
/// <param name="Commit">The group, the partition and the offset.</param>
/// <param name="WasFurther">Whether the group had read on, into what is lost.</param>
public sealed record RestoredCommit(GroupCommit Commit, bool WasFurther);

/// <summary>A cluster cannot be restored so; nothing was changed.</summary>
public sealed class RestoreRefusedException(string reason) : Exception(reason);
