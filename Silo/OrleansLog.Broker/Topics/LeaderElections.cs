using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Broker.Topics;

/// <summary>Has brokers take partitions over because somebody asks for it (KIP-183, KIP-460). Any thread.</summary>
/// <param name="topics">What is known of the partitions.</param>
/// <param name="time">Ends the wait for brokers that do not answer.</param>
public sealed class LeaderElections(TopicControl topics, TimeProvider time)
{
    /// <summary>The first replica of a partition takes it over, if it is in sync.</summary>
    public Task<PartitionOutcome> ElectPreferredAsync(TopicPartition partition, TimeSpan timeout, CancellationToken cancellationToken) =>
        ElectAsync(partition, RefusePreferred, async record =>
        {
            await topics.Hosts.LeadPreferredAsync(partition);
            return RecordOf(partition)?.Leader == record.Replicas[0]
                ? new(partition)
                : new(partition, ErrorCode.PreferredLeaderNotAvailable, $"Broker {record.Replicas[0]} could not take {partition} over; its log says why.");
        }, timeout, cancellationToken);

    /// <summary>
    /// Where a partition has no leader, the living replica with the most records takes it over, whatever the topic allows:
    /// what only the others hold is lost.
    /// </summary>
    public Task<PartitionOutcome> ElectUncleanAsync(TopicPartition partition, TimeSpan timeout, CancellationToken cancellationToken) =>
        ElectAsync(partition, RefuseUnclean, async record =>
        {
            var start = await topics.Hosts.LeadUncleanlyAsync(partition);
            return start is { } from ? new(partition, ErrorCode.None, Describe(partition, record, from))
                : HasLeader(RecordOf(partition)) ? new(partition)
                : new(partition, ErrorCode.EligibleLeadersNotAvailable, $"No living replica of {partition} could take it over.");
        }, timeout, cancellationToken);

    private async Task<PartitionOutcome> ElectAsync(
        TopicPartition partition,
        Func<TopicPartition, PartitionRecord, PartitionOutcome?> refuse,
        Func<PartitionRecord, Task<PartitionOutcome>> elect,
        TimeSpan timeout,
        CancellationToken cancellationToken)
    {
        if (RecordOf(partition) is not { } record)
            return PartitionOutcome.Unknown(partition);
        if (refuse(partition, record) is { } refused)
            return refused;
        try
        {
            return await elect(record).WaitAsync(timeout, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return new(partition, ErrorCode.RequestTimedOut, $"The election for {partition} has not ended yet; it goes on.");
        }
    }

    private PartitionOutcome? RefusePreferred(TopicPartition partition, PartitionRecord record)
    {
        var preferred = record.Replicas[0];
        return record.Leader == preferred && IsAlive(preferred)
            ? new(partition, ErrorCode.ElectionNotNeeded, $"{partition} is led by its preferred replica already.")
            : !IsAlive(preferred) ? new(partition, ErrorCode.PreferredLeaderNotAvailable, $"Broker {preferred}, which {partition} prefers, does not live.")
            : !record.IsInSync(preferred) ? new(partition, ErrorCode.PreferredLeaderNotAvailable, $"Broker {preferred}, which {partition} prefers, is not in sync.")
            : null;
    }

    private PartitionOutcome? RefuseUnclean(TopicPartition partition, PartitionRecord record) =>
        HasLeader(record) ? new(partition, ErrorCode.ElectionNotNeeded, $"{partition} has a leader.")
        : !record.Replicas.Any(IsAlive) ? new(partition, ErrorCode.EligibleLeadersNotAvailable, $"No broker that holds {partition} lives.")
        : null;

    private static string? Describe(TopicPartition partition, PartitionRecord before, UncleanStart start)
    {
        var others = before.InSync.Select(member => member.Broker).Where(id => id != start.Leader).ToList();
        return start.IsClean || others.Count == 0
            ? null
            : $"Broker {start.Leader} leads {partition} from offset {start.From} on. Records from there on that only {Name(others)} held are lost.";
    }

    private static string Name(List<BrokerId> brokers) => $"{(brokers.Count == 1 ? "broker" : "brokers")} {string.Join(", ", brokers)}";

    private bool HasLeader(PartitionRecord? record) => record is not null && IsAlive(record.Leader) && record.IsInSync(record.Leader);

    private PartitionRecord? RecordOf(TopicPartition partition) => topics.Image.FindPartition(partition);

    private bool IsAlive(BrokerId broker) => topics.Image.FindBroker(broker) is not null;
}
