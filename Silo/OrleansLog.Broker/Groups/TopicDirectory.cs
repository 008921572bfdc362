using OrleansLog.Broker.Metadata;
using OrleansLog.Coordination;

namespace OrleansLog.Broker.Groups;

/// <summary>Tells coordinators which topics there are.</summary>
internal sealed class TopicDirectory(ClusterDirectory cluster) : ITopicDirectory
{
    public bool Contains(string topic, int partition) =>
        cluster.Image.FindTopic(topic) is { } found && (uint)partition < (uint)found.Partitions.Length;
}
