using OrleansLog.Broker.Topics;
using OrleansLog.Coordination;

namespace OrleansLog.Broker.Groups;

/// <summary>Tells coordinators which topics there are.</summary>
internal sealed class TopicDirectory(TopicControl topics) : ITopicDirectory
{
    public bool Contains(string topic, int partition) =>
        topics.Image.FindTopic(topic) is { } found && (uint)partition < (uint)found.Partitions.Length;
}
