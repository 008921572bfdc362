namespace OrleansLog.Client.Producing;

/// <summary>
/// Under which name and in which epoch a producer numbers its records, so that brokers know what they have already (KIP-98).
/// An epoch counts per partition: one that has to begin its numbers anew does not disturb the others.
/// </summary>
internal readonly record struct ProducerIdentity(long ProducerId, short Epoch)
{
    /// <summary>Records are not numbered, or not yet.</summary>
    public static readonly ProducerIdentity None = new(-1, -1);

    /// <summary>The same producer in its next epoch; none where it has no further one.</summary>
    public ProducerIdentity Next() => Epoch == short.MaxValue ? None : this with { Epoch = (short)(Epoch + 1) };
}
