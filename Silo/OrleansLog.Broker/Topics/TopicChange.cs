using System.Collections.Immutable;
using OrleansLog.Broker.Metadata;
using OrleansLog.Protocol;

namespace OrleansLog.Broker.Topics;

/// <summary>A topic that somebody wants.</summary>
/// <param name="Name">Its name.</param>
/// <param name="PartitionCount">How many partitions; -1 for the broker's default.</param>
/// <param name="ReplicationFactor">How many replicas of each; -1 for the broker's default.</param>
/// <param name="Config">What it sets of its own.</param>
/// <param name="Assignment">The replicas of each partition where the caller chooses them; then both counts are -1.</param>
public sealed record NewTopic(string Name, int PartitionCount = -1, int ReplicationFactor = -1)
{
    public ImmutableDictionary<string, string> Config { get; init; } = ImmutableDictionary<string, string>.Empty;

    public IReadOnlyList<IReadOnlyList<BrokerId>>? Assignment { get; init; }
}

/// <summary>What became of a change, for one topic.</summary>
/// <param name="Error">None, or why nothing changed.</param>
/// <param name="Message">The same in words, for the person who asked.</param>
/// <param name="Topic">The topic after the change (before it, for a deletion); null on error.</param>
public sealed record TopicOutcome(ErrorCode Error, string? Message, TopicImage? Topic)
{
    public static TopicOutcome Changed(TopicImage topic) => new(ErrorCode.None, null, topic);

    public static TopicOutcome Refused(ErrorCode error, string message) => new(error, message, null);
}
