using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Topics;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Embedded;

/// <summary>What the brokers of one process share, and how they hear of one another. Any thread.</summary>
internal sealed class EmbeddedCluster(
    ILogFileSystem files, IMetadataRegister register, BrokerOptions options, TimeProvider time, ILoggerFactory loggers) : IReplicaHosts
{
    public ILogFileSystem Files => files;

    public IMetadataRegister Register => register;

    public BrokerOptions Options => options;

    public ConfigValues Config => options.Config;

    public TimeProvider Time => time;

    public ILoggerFactory Loggers => loggers;

    public ClusterDirectory Directory { get; } = new();

    public IReadOnlyList<BrokerNode> Nodes { get; set; } = [];

    /// <summary>Where the brokers send what changes topics.</summary>
    public TopicControl Topics { get; set; } = null!;

    /// <summary>A broker is there, or back.</summary>
    public void Joined(BrokerNode node, long epoch)
    {
        Directory.Joined(node.Image, epoch);
        TellBrokersChanged();
    }

    /// <summary>A broker is gone, as far as is known.</summary>
    public void Left(BrokerNode node)
    {
        Directory.Left(node.Id);
        TellBrokersChanged();
    }

    /// <summary>A partition's record was changed, by a broker or (null) by topic control.</summary>
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

    public async Task ForgetOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions)
    {
        foreach (var node in Nodes)
            await node.ForgetOffsetsAsync(partitions);
    }

    private Task EachRunningAsync(Func<BrokerNode, Task> work) => Task.WhenAll(Nodes.Where(node => node.IsRunning).Select(work));

    private void TellBrokersChanged()
    {
        foreach (var node in Nodes)
            node.OnBrokersChanged();
    }
}
