using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>
/// All that one fetch brought of one partition: one or more record batches. Valid until the next one is asked for.
/// </summary>
public sealed partial class FetchedBatch
{
    public TopicPartition Partition => throw new NotSupportedException();

    /// <summary>The first offset that may be in it.</summary>
    public Offset BaseOffset => throw new NotSupportedException();

    /// <summary>One past the last offset in it: the position to commit when all of it is processed.</summary>
    public Offset NextOffset => throw new NotSupportedException();

    /// <summary>The end of the partition, as readers see it, when this was fetched.</summary>
    public Offset HighWatermark => throw new NotSupportedException();

    /// <summary>Its size as fetched, in bytes.</summary>
    public int SizeInBytes => throw new NotSupportedException();
}
