using OrleansLog.Replication.Metadata;

namespace OrleansLog.Replication.Leading;

/// <summary>What a driver has to do after an event.</summary>
/// <param name="HasCommitted">The high watermark moved: answer who waits.</param>
/// <param name="Proposal">A record to be written in the place of the current one; at most one at a time.</param>
/// <param name="MustReload">Somebody else may have changed the record: read it.</param>
/// <param name="MustStepDown">There is a later leader, or the partition is not led from here any more.</param>
public readonly record struct LeaderEffects(
    bool HasCommitted = false, PartitionRecord? Proposal = null, bool MustReload = false, bool MustStepDown = false)
{
    /// <summary>
    /// The one version that <see cref="Proposal"/> may replace: it was made from that. When the write's turn comes, the
    /// leader may know a later one.
    /// </summary>
    public RegisterVersion Replaces { get; init; }
}
