namespace OrleansLog.Coordination;

/// <summary>What the coordinator needs to know of the topics. Called from any thread, and often.</summary>
public interface ITopicDirectory
{
    /// <summary>Another object whenever something about the topics may have changed, and the same one until then.</summary>
    object Edition { get; }

    /// <summary>The topics by name, but for those that the brokers keep for themselves.</summary>
    IEnumerable<string> Names { get; }

    /// <summary>Whether the topic exists and has that partition. Offsets are committed for such partitions only.</summary>
    bool Contains(string topic, int partition);

    /// <summary>The topic of that name, or null.</summary>
    TopicShape? Find(string topic);

    /// <summary>The name of the topic with that id, or null.</summary>
    string? NameOf(Guid topicId);
}

/// <summary>What a topic looks like from far: its id, which another of the same name does not share, and its size.</summary>
public readonly record struct TopicShape(Guid Id, int PartitionCount);
