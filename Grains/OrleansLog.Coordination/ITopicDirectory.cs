namespace OrleansLog.Coordination;

/// <summary>What the coordinator needs to know of the topics: which exist. Called from any thread, and often.</summary>
public interface ITopicDirectory
{
    /// <summary>Whether the topic exists and has that partition. Offsets are committed for such partitions only.</summary>
    bool Contains(string topic, int partition);
}
