using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Nodes;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Topics;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Broker.Clustered;

/// <summary>Has this broker and those of the other processes follow what topic control decides here.</summary>
internal sealed class ClusteredHosts(BrokerNode node, ClusterDirectory cluster, Peers peers, PartitionRegister register) : IReplicaHosts
{
    private static readonly TimeSpan FollowTimeMax = TimeSpan.FromSeconds(10);

    public async Task OpenAsync(TopicImage topic, int from, PartitionSettings settings)
    {
        peers.TellOfTopic(topic.Name);
        await node.OpenAsync(topic, from, settings);
        await node.LeadPreferredAsync(topic, from);
        await peers.DeliveredAsync(FollowTimeMax);
    }

    public async Task DeleteAsync(string topic, int partitionCount)
    {
        peers.TellOfTopic(topic);
        await node.DeleteTopicAsync(topic, partitionCount);
        await peers.DeliveredAsync(FollowTimeMax);
    }

    public void Configure(string topic, PartitionSettings settings)
    {
        peers.TellOfTopic(topic);
        node.Configure(topic, settings);
    }

    public async Task LeadPreferredAsync(TopicPartition partition)
    {
        if (cluster.RecordOf(partition) is not { } record)
            return;
        await Calls.TryAsync(() => record.Replicas[0] == node.Id
            ? node.LeadPreferredAsync(partition)
            : peers[record.Replicas[0]].LeadPreferredAsync(partition, CancellationToken.None));
        await RefreshAsync(partition);
    }

    public async Task<UncleanStart?> LeadUncleanlyAsync(TopicPartition partition)
    {
        if (cluster.RecordOf(partition) is not { } record)
            return null;
        var ends = await Task.WhenAll(record.Replicas.Where(cluster.IsAlive).Select(async id => (Id: id, End: await Calls.TryAsync(() => FindLogEndAsync(id, partition)))));
        var candidates = ends.Where(each => each.End is not null)
            .OrderByDescending(each => record.IsInSync(each.Id))
            .ThenByDescending(each => each.End!.Value.Epoch)
            .ThenByDescending(each => each.End!.Value.EndOffset);
        foreach (var (id, end) in candidates)
        {
            var isLed = await Calls.TryAsync(() => id == node.Id ? node.LeadUncleanlyAsync(partition) : peers[id].LeadUncleanlyAsync(partition, CancellationToken.None));
            await RefreshAsync(partition);
            if (isLed)
                return new(id, end!.Value.EndOffset, IsClean: cluster.RecordOf(partition) is { } led && led.UncleanEpoch != led.LeaderEpoch);
        }
        return null;
    }

    // The others forget theirs when they learn that the topic is gone.
    public Task ForgetOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions) => node.ForgetOffsetsAsync(partitions);

    private Task<Storage.EpochEndOffset?> FindLogEndAsync(BrokerId broker, TopicPartition partition) => broker == node.Id
        ? Task.FromResult(node.FindLogEnd(partition))
        : peers[broker].FindLogEndAsync(partition, CancellationToken.None);

    // Whoever asked looks at the outcome at once; the news of it may be on their way.
    private async Task RefreshAsync(TopicPartition partition)
    {
        if (await register.ReadAsync(partition, CancellationToken.None) is { } current)
            cluster.Changed(partition, current.Record);
    }
}
