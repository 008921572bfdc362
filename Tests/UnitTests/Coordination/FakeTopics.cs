using OrleansLog.Coordination;

namespace OrleansLog.UnitTests.Coordination;

/// <summary>The topics that a coordinator under test sees.</summary>
public sealed class FakeTopics : ITopicDirectory
{
    private readonly SortedDictionary<string, TopicShape> _topics = new(StringComparer.Ordinal);
    private int _ids;

    public object Edition { get; private set; } = new();

    public IEnumerable<string> Names => _topics.Keys;

    /// <summary>Makes a topic, or gives one that there is more partitions.</summary>
    public void Create(string name, int partitions, Guid? withId = null)
    {
        var id = withId ?? (_topics.TryGetValue(name, out var present) ? present.Id : new Guid(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)++_ids));
        _topics[name] = new TopicShape(id, partitions);
        Edition = new object();
    }

    public void Delete(string name)
    {
        _topics.Remove(name);
        Edition = new object();
    }

    public bool Contains(string topic, int partition) => Find(topic) is { } found && partition < found.PartitionCount;

    public TopicShape? Find(string topic) => _topics.TryGetValue(topic, out var found) ? found : null;

    public string? NameOf(Guid topicId) => _topics.FirstOrDefault(topic => topic.Value.Id == topicId).Key;
}
