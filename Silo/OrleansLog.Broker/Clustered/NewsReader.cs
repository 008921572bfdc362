using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Nodes;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Topics;
using OrleansLog.Protocol;
using OrleansLog.Replication.Brokers;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Broker.Clustered;

/// <summary>
/// Has a broker follow what others did to the metadata register. News of a partition are taken as they are, since its record
/// says which version is later; of a topic they only say that it is worth a look. Any thread.
/// </summary>
internal sealed class NewsReader(BrokerNode node, ClusterDirectory cluster, TopicControl topics, ILogger logger) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Done when this broker has acted on all of it.</summary>
    public async Task ReadAsync(IReadOnlyList<RegisterNews> news, CancellationToken cancellationToken)
    {
        foreach (var each in news)
        {
            if (each.Key.StartsWith(TopicRecord.KeyPrefix, StringComparison.Ordinal))
                await FollowTopicAsync(each.Key[TopicRecord.KeyPrefix.Length..], cancellationToken);
            else if (PartitionRecord.TryParseKey(each.Key, out var partition) && !each.Document.IsEmpty)
                Follow(partition, PartitionRecord.Parse(each.Document.Span));
        }
    }

    /// <summary>A partition's record was written by another broker.</summary>
    public void Follow(TopicPartition partition, PartitionRecord record)
    {
        cluster.Changed(partition, record);
        node.OnRecordChanged(partition, record, isOwnChange: false);
    }

    /// <summary>Makes this broker's part of a topic what the register says of it.</summary>
    public async Task FollowTopicAsync(string name, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var known = cluster.Image.FindTopic(name);
            var present = await topics.FindTopicAsync(TopicRecord.KeyOf(name), cancellationToken);
            if (known is not null && known.Id != present?.Id)
                await DropAsync(known);
            if (present is not null)
                await TakeAsync(present, known?.Id == present.Id ? known : null);
        }
        catch (InvalidDataException changing)
        {
            // It is being deleted at this moment, which the next news are about.
            logger.LogDebug("Topic {Topic} could not be read: {Reason}", name, changing.Message);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task DropAsync(TopicImage topic)
    {
        cluster.Update(image => image.FindTopic(topic.Id) is { } known ? image.Without(known) : image);
        await node.DeleteTopicAsync(topic.Name, topic.Partitions.Length);
        await node.ForgetOffsetsAsync([.. Enumerable.Range(0, topic.Partitions.Length).Select(index => new TopicPartition(topic.Name, index))]);
    }

    private async Task TakeAsync(TopicImage present, TopicImage? known)
    {
        var settings = PartitionSettings.From(topics.ConfigOf(present));
        cluster.Update(image => image.With(image.FindTopic(present.Id) is { } before ? Merge(before, present) : present));
        if (known is not null && !known.Config.SequenceEqual(present.Config))
            node.Configure(present.Name, settings);
        // From the first on: what could not be opened at an earlier attempt is tried again.
        await node.OpenAsync(present, from: 0, settings);
        await node.LeadPreferredAsync(present, known?.Partitions.Length ?? 0);
    }

    // While the register was read, news of partitions may have come that are later.
    private static TopicImage Merge(TopicImage before, TopicImage present) => present with
    {
        Partitions =
        [
            .. present.Partitions.Select((record, index) =>
                index < before.Partitions.Length && before.Partitions[index].PartitionEpoch > record.PartitionEpoch ? before.Partitions[index] : record),
        ],
    };
}
