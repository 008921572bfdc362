using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Producers;
using OrleansLog.Broker.Shares;
using OrleansLog.Broker.Topics;
using OrleansLog.Coordination;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Tiering;

/// <summary>
/// Keeps in the remote store what a cluster is restored from besides records: topics and their configurations, by the
/// controller, and what groups have committed, by each leader of a partition of <c>__consumer_offsets</c>. Only for a cluster
/// with topics that are kept there. One caller at a time; <see cref="Status"/> any thread.
/// </summary>
internal sealed class ClusterBackup(
    BrokerId self, OwnedRemoteStore store, ClusterDirectory cluster, IMetadataRegister register, PartitionTable partitions, GroupCoordinator groups,
    Func<TopicImage, bool> isStored, TimeSpan interval, TimeProvider time, ILogger logger)
{
    // Who restores takes a cluster for dead that gave none for five minutes.
    private static readonly TimeSpan SignInterval = TimeSpan.FromSeconds(30);

    private readonly Dictionary<int, (LeaderEpoch Epoch, IReadOnlyList<GroupCommit> Commits)> _written = [];
    private object? _topicsSeen;
    private BackedUpTopics? _topics;
    private bool _isKept;
    private long? _doneAt;
    private long? _aliveAt;
    private BackupStatus _status = new(null, null, null);

    /// <summary>Up to when what the store has is right.</summary>
    public BackupStatus Status => Volatile.Read(ref _status);

    /// <summary>Writes what has changed: topics at once, the rest when its time has come.</summary>
    public async Task StepAsync(CancellationToken cancellationToken)
    {
        var image = cluster.Image;
        var isDue = _doneAt is not { } doneAt || time.GetElapsedTime(doneAt) >= interval;
        var hasNews = image.Controller == self && !ReferenceEquals(image.Topics, _topicsSeen);
        if (!isDue && !hasNews)
            return;
        try
        {
            if (!await IsWantedAsync(image, cancellationToken))
                return;
            await WriteTopicsAsync(image, cancellationToken);
            if (isDue)
                await WriteOffsetsAsync(cancellationToken);
            Note(failure: null);
        }
        catch (Exception failed) when (failed is IOException or InvalidDataException)
        {
            if (Status.Failure is null)
                logger.LogError("Topics and committed offsets cannot be kept in the remote store at the moment: {Reason}", failed.Message);
            Note(failed.Message);
        }
        if (isDue)
            _doneAt = time.GetTimestamp();
    }

    // A store that is there for other purposes, or for nothing yet, stays empty.
    private async Task<bool> IsWantedAsync(ClusterImage image, CancellationToken cancellationToken)
    {
        _isKept = _isKept || image.Topics.Values.Any(isStored);
        if (!_isKept && await StoreOwner.FindAsync(store.Unowned, cancellationToken) is { } found)
            _isKept = found.Owner.ClusterId == store.ClusterId;
        return _isKept && !(await store.RequireAsync(cancellationToken)).IsRestoring;
    }

    private async Task WriteTopicsAsync(ClusterImage image, CancellationToken cancellationToken)
    {
        if (image.Controller != self)
        {
            (_topicsSeen, _topics) = (null, null);
            return;
        }
        var now = await DescribeAsync(image, cancellationToken);
        if (_topics is null || !now.HoldsSameAs(_topics))
        {
            var before = await store.ReadDocumentAsync(BackedUpTopics.Name, cancellationToken);
            if (await store.WriteDocumentAsync(BackedUpTopics.Name, now.Serialize(), before?.Tag, cancellationToken) is null)
                return;
        }
        if (_aliveAt is not { } aliveAt || time.GetElapsedTime(aliveAt) >= SignInterval)
        {
            await new SignOfLife(store.ClusterId, NowMs).WriteAsync(store, cancellationToken);
            _aliveAt = time.GetTimestamp();
        }
        (_topicsSeen, _topics) = (image.Topics, now);
        Volatile.Write(ref _status, Status with { TopicsAtMs = now.AtMs });
    }

    private async Task<BackedUpTopics> DescribeAsync(ClusterImage image, CancellationToken cancellationToken)
    {
        var atMs = NowMs;
        var ids = await register.GetAsync(ProducerIdRegister.Key, cancellationToken);
        return new(
            store.ClusterId, atMs, ids is null ? 0 : ProducerIdRecord.Parse(ids.Document.Span).NextProducerId,
            [.. image.Topics.Values.Where(topic => !TopicName.IsInternal(topic.Name)).Select(topic => new BackedUpTopic(
                topic.Name, topic.Id, topic.Partitions.Length, topic.Partitions[0].Replicas.Length, new(topic.Config, StringComparer.Ordinal)))],
            await GroupConfigs.ReadAllAsync(register, cancellationToken));
    }

    private async Task WriteOffsetsAsync(CancellationToken cancellationToken)
    {
        var atMs = NowMs;
        foreach (var partition in partitions.FindTopic(TopicName.ConsumerOffsets)?.Partitions ?? [])
        {
            var epoch = partition.LeaderEpoch;
            if (epoch == LeaderEpoch.None || await groups.ReadCommitsAsync(partition.Id.Partition) is not { } commits || partition.LeaderEpoch != epoch)
                continue;
            commits = [.. commits.OrderBy(commit => commit.Group, StringComparer.Ordinal).ThenBy(commit => commit.Partition.Topic, StringComparer.Ordinal).ThenBy(commit => commit.Partition.Partition)];
            if (_written.TryGetValue(partition.Id.Partition, out var written) && written.Epoch == epoch && written.Commits.SequenceEqual(commits))
                continue;
            await WriteOffsetsAsync(BackedUpOffsets.NameOf(partition.Id.Partition), new(store.ClusterId, epoch, atMs, commits), cancellationToken);
            _written[partition.Id.Partition] = (epoch, commits);
        }
        Volatile.Write(ref _status, Status with { OffsetsAtMs = atMs });
    }

    private async Task WriteOffsetsAsync(string name, BackedUpOffsets offsets, CancellationToken cancellationToken)
    {
        var before = await store.ReadDocumentAsync(name, cancellationToken);
        if (before is { } found && BackedUpOffsets.Parse(found.Content.Span, name) is var earlier && earlier.ClusterId == offsets.ClusterId && earlier.LeaderEpoch > offsets.LeaderEpoch)
            throw new IOException($"'{name}' was written by the leader of epoch {earlier.LeaderEpoch}, and this one is of epoch {offsets.LeaderEpoch}: it leads no more.");
        if ((before is not null || offsets.Commits.Count > 0) && await store.WriteDocumentAsync(name, offsets.Serialize(), before?.Tag, cancellationToken) is null)
            throw new IOException($"'{name}' was changed by somebody else at the same time.");
    }

    private void Note(string? failure) => Volatile.Write(ref _status, Status with { Failure = failure });

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();
}

/// <summary>How far the remote store knows of what a broker keeps there besides records.</summary>
/// <param name="TopicsAtMs">When topics were last as it has them, in milliseconds since 1970; null for a broker that is not the controller.</param>
/// <param name="OffsetsAtMs">When the committed offsets that this broker coordinates were; null before the first time.</param>
/// <param name="Failure">Why the last attempt failed; null if it did not.</param>
public sealed record BackupStatus(long? TopicsAtMs, long? OffsetsAtMs, string? Failure);
