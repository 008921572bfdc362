namespace OrleansLog.Client;

/// <summary>Chooses a record's partition. Called from many threads at once.</summary>
public interface IPartitioner
{
    /// <summary>
    /// Chooses a partition, or -1 for "any": records with that answer stick to one partition until its batch is sent,
    /// then to another, which makes for fewer and larger batches (KIP-480).
    /// </summary>
    /// <param name="topic">The topic of the record.</param>
    /// <param name="key">The bytes of its key; empty when there is none.</param>
    /// <param name="hasKey">False when the key is null, which is not the same as an empty one.</param>
    /// <param name="partitionCount">How many partitions the topic has; the answer is below it.</param>
    int Choose(string topic, ReadOnlySpan<byte> key, bool hasKey, int partitionCount);
}
