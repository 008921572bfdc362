using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Nodes;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Tiering;
using OrleansLog.Broker.Topics;
using OrleansLog.Protocol;
using OrleansLog.Replication.Brokers;
using OrleansLog.Replication.Metadata;
using OrleansLog.Replication.Replicas;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Embedded;

/// <summary>What the brokers of one process share, and how they hear of one another. Any thread.</summary>
internal sealed class EmbeddedCluster(
    ILogFileSystem files, IMetadataRegister register, BrokerOptions options, TimeProvider time, ILoggerFactory loggers) : INodeCluster, IReplicaHosts
{
    public ILogFileSystem Files => files;

    public IMetadataRegister Register => register;

    public BrokerOptions Options => options;

    public ConfigValues Config => options.Config;

    public TimeProvider Time => time;

    public ILoggerFactory Loggers => loggers;

    public ClusterDirectory Directory { get; } = new();

    public OwnedRemoteStore? RemoteStore { get; init; }

    public IReadOnlyList<BrokerNode> Nodes { get; set; } = [];

    /// <summary>Where the brokers send what changes topics.</summary>
    public TopicControl Topics { get; set; } = null!;

    public IReplicationChannel ChannelFrom(BrokerNode node) =>
        new InProcessChannel(node.Gate, id => Nodes.FirstOrDefault(each => each.Id == id));

    public ICoordinatorPeer CoordinatorPeer(BrokerId from, BrokerId to) =>
        new InProcessCoordinatorPeer(Nodes.First(each => each.Id == from).Gate, to, () => Nodes.FirstOrDefault(each => each.Id == to));

    public void Joined(BrokerNode node, long epoch)
    {
        Directory.Joined(node.Image, epoch);
        TellBrokersChanged();
    }

    public void Left(BrokerNode node)
    {
        Directory.Left(node.Id);
        TellBrokersChanged();
    }

    public void RecordChanged(BrokerId? writer, TopicPartition id, PartitionRecord record)
    {
        Directory.Changed(id, record);
        foreach (var node in Nodes)
            node.OnRecordChanged(id, record, isOwnChange: node.Id == writer);
    }

    public async Task OpenAsync(TopicImage topic, int from, PartitionSettings settings)
    {
        await EachRunningAsync(node => node.OpenAsync(topic, from, settings));
        await EachRunningAsync(node => node.LeadPreferredAsync(topic, from));
    }

    public Task DeleteAsync(string topic, int partitionCount) =>
        Task.WhenAll(Nodes.Select(node => node.DeleteTopicAsync(topic, partitionCount)));

    public void Configure(string topic, PartitionSettings settings)
    {
        foreach (var node in Nodes)
            node.Configure(topic, settings);
    }

    public Task LeadPreferredAsync(TopicPartition partition) =>
        Directory.RecordOf(partition) is { } record && Nodes.FirstOrDefault(node => node.Id == record.Replicas[0]) is { Replicas: { } replicas }
            ? replicas.LeadPreferredAsync([partition])
            : Task.CompletedTask;

    public async Task<UncleanStart?> LeadUncleanlyAsync(TopicPartition partition)
    {
        if (Directory.RecordOf(partition) is not { } record)
            return null;
        var candidates = Nodes.Where(node => record.Replicas.Contains(node.Id) && Directory.IsAlive(node.Id))
            .Select(node => (Node: node, node.Replicas?.Find(partition)?.Log))
            .Where(each => each.Log is not null)
            .OrderByDescending(each => record.IsInSync(each.Node.Id))
            .ThenByDescending(each => each.Log!.EpochAt(each.Log.LogEndOffset - 1))
            .ThenByDescending(each => each.Log!.LogEndOffset);
        foreach (var (node, log) in candidates)
        {
            var from = log!.LogEndOffset;
            if (await LeadUncleanlyAsync(node, partition))
                return new(node.Id, from, IsClean: Directory.RecordOf(partition) is { } led && led.UncleanEpoch != led.LeaderEpoch);
        }
        return null;
    }

    public async Task ForgetOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions)
    {
        foreach (var node in Nodes)
            await node.ForgetOffsetsAsync(partitions);
    }

    private static async Task<bool> LeadUncleanlyAsync(BrokerNode node, TopicPartition partition)
    {
        try
        {
            return node.Replicas is { } replicas && await replicas.LeadUncleanlyAsync(partition);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Its disk failed or it is closing: the next one may do.
            return false;
        }
    }

    private Task EachRunningAsync(Func<BrokerNode, Task> work) => Task.WhenAll(Nodes.Where(node => node.IsRunning).Select(work));

    private void TellBrokersChanged()
    {
        foreach (var node in Nodes)
            node.OnBrokersChanged();
    }
}
