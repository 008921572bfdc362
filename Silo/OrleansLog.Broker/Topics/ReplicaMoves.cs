using System.Collections.Immutable;
using OrleansLog.Broker.Metadata;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Broker.Topics;

/// <summary>
/// Moves partitions to other brokers while they serve (KIP-455). A move begins, or is called off, with one change of the
/// partition's record; its leader carries it out and ends it. Any thread.
/// </summary>
/// <param name="topics">Where the partitions are recorded.</param>
public sealed class ReplicaMoves(TopicControl topics)
{
    /// <summary>Begins to move a partition, or changes where a move that is under way goes to.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="target">All brokers that are to hold it, the preferred leader first.</param>
    /// <param name="mayChangeFactor">Whether it may get more or fewer replicas (KIP-860).</param>
    /// <param name="cancellationToken">Gives up; the move may have begun.</param>
    public Task<PartitionOutcome> BeginAsync(
        TopicPartition partition, IReadOnlyList<BrokerId> target, bool mayChangeFactor, CancellationToken cancellationToken)
    {
        ImmutableArray<BrokerId> replicas = [.. target];
        return ChangeAsync(partition, record => (RefuseTarget(partition, record, replicas, mayChangeFactor), Reassignment.Begin(record, replicas)), cancellationToken);
    }

    /// <summary>Begins to move a partition to where its record, as it is then, suggests; nothing happens where that is nowhere.</summary>
    internal Task<PartitionOutcome> BeginAsync(
        TopicPartition partition, Func<PartitionRecord, ImmutableArray<BrokerId>> choose, CancellationToken cancellationToken) =>
        ChangeAsync(partition, record =>
        {
            var target = choose(record);
            return (RefuseTarget(partition, record, target, mayChangeFactor: true), Reassignment.Begin(record, target));
        }, cancellationToken);

    /// <summary>Calls a move off: the partition stays where it was before.</summary>
    public Task<PartitionOutcome> CancelAsync(TopicPartition partition, CancellationToken cancellationToken) =>
        ChangeAsync(partition, record => (RefuseCancel(partition, record), Reassignment.Cancel(record)), cancellationToken);

    /// <summary>The partitions of a topic that are being moved.</summary>
    public static IEnumerable<(int Index, PartitionRecord Record)> UnderWay(TopicImage topic) =>
        topic.Partitions.Select((record, index) => (index, record)).Where(each => IsMoving(each.record));

    internal static bool IsMoving(PartitionRecord record) => !record.Adding.IsEmpty || !record.Removing.IsEmpty;

    // The leader may change the record at any time: then the change is decided anew.
    private async Task<PartitionOutcome> ChangeAsync(
        TopicPartition partition, Func<PartitionRecord, (PartitionOutcome? Refused, PartitionRecord Record)> change, CancellationToken cancellationToken)
    {
        if (topics.Image.FindPartition(partition) is null)
            return PartitionOutcome.Unknown(partition);
        while (await topics.Partitions.ReadAsync(partition, cancellationToken) is { } current)
        {
            var (refused, record) = change(current.Record);
            if (refused is not null)
                return refused.Value;
            if ((await topics.Partitions.ChangeAsync(partition, record, current.Version, cancellationToken)).IsAccepted)
                return new(partition);
        }
        return PartitionOutcome.Unknown(partition);
    }

    private PartitionOutcome? RefuseTarget(TopicPartition partition, PartitionRecord record, ImmutableArray<BrokerId> target, bool mayChangeFactor)
    {
        if (target.IsEmpty)
            return Invalid(partition, "A partition needs at least one replica.");
        if (target.Distinct().Count() != target.Length)
            return Invalid(partition, "A broker holds a partition once; the replicas name one twice.");
        if (target.Except(record.Replicas).Cast<BrokerId?>().FirstOrDefault(id => topics.Image.FindBroker(id!.Value) is null) is { } absent)
            return Invalid(partition, $"There is no living broker {absent}.");
        var factor = record.Replicas.Length - record.Removing.Length;
        return mayChangeFactor || target.Length == factor
            ? null
            : new(partition, ErrorCode.InvalidReplicationFactor, $"{partition} has {factor} replicas; {target.Length} were given, and the request forbids to change how many.");
    }

    private static PartitionOutcome? RefuseCancel(TopicPartition partition, PartitionRecord record) =>
        !IsMoving(record) ? new(partition, ErrorCode.NoReassignmentInProgress, $"{partition} is not being moved.")
        : record.Replicas.Except(record.Adding).Any(record.IsInSync) ? null
        : Invalid(partition, "None of the brokers that held it before is in sync any more; bring one back, or let the move end.");

    private static PartitionOutcome Invalid(TopicPartition partition, string message) => new(partition, ErrorCode.InvalidReplicaAssignment, message);
}
