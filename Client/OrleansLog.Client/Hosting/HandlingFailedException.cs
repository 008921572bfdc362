using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>A record could not be handled, and there is no dead-letter topic to put it into.</summary>
public sealed class HandlingFailedException(TopicPartition partition, Offset offset, Exception reason)
    : Exception($"The record at offset {offset} of {partition} could not be handled: {reason.Message}", reason)
{
    public TopicPartition Partition => partition;

    public Offset Offset => offset;
}
