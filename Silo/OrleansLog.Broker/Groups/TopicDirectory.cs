using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Topics;
using OrleansLog.Coordination;

namespace OrleansLog.Broker.Groups;

/// <summary>Tells coordinators which topics there are.</summary>
internal sealed class TopicDirectory(ClusterDirectory cluster) : ITopicDirectory
{
    public object Edition => cluster.Image.Topics;

    public IEnumerable<string> Names => cluster.Image.Topics.Keys.Where(name => !TopicName.IsInternal(name));

    public bool Contains(string topic, int partition) =>
        cluster.Image.FindTopic(topic) is { } found && (uint)partition < (uint)found.Partitions.Length;

    public TopicShape? Find(string topic) =>
        cluster.Image.FindTopic(topic) is { } found ? new TopicShape(found.Id, found.Partitions.Length) : null;

    public string? NameOf(Guid topicId) => cluster.Image.FindTopic(topicId)?.Name;
}
