using OrleansLog.Protocol;

namespace OrleansLog.Broker.Topics;

/// <summary>What became of a change, for one partition.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Error">None, or why nothing changed.</param>
/// <param name="Message">The same in words, for the person who asked; with a success what else there is to know.</param>
public readonly record struct PartitionOutcome(TopicPartition Partition, ErrorCode Error = ErrorCode.None, string? Message = null)
{
    public static PartitionOutcome Unknown(TopicPartition partition) =>
        new(partition, ErrorCode.UnknownTopicOrPartition, $"There is no partition {partition}.");
}
