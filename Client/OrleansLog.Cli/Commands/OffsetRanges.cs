using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>Where partitions begin and end, at one moment.</summary>
internal sealed class OffsetRanges(
    IReadOnlyDictionary<TopicPartition, ListedOffset> starts, IReadOnlyDictionary<TopicPartition, ListedOffset> ends)
{
    public static async Task<OffsetRanges> OfAsync(
        AdminClient admin, IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken,
        IsolationLevel isolation = IsolationLevel.ReadUncommitted) => new(
        await admin.ListOffsetsAsync(partitions.ToDictionary(p => p, _ => OffsetSpec.Earliest), cancellationToken),
        await admin.ListOffsetsAsync(partitions.ToDictionary(p => p, _ => OffsetSpec.Latest), isolation, cancellationToken));

    /// <summary>The first offset that is there, and one past the last.</summary>
    /// <exception cref="CommandException">The partition did not answer.</exception>
    public (Offset Start, Offset End) Of(TopicPartition partition) =>
        (Answered(starts[partition], partition), Answered(ends[partition], partition));

    /// <exception cref="CommandException">The partition did not answer.</exception>
    public static Offset Answered(ListedOffset listed, TopicPartition partition) => listed.Error == ErrorCode.None
        ? listed.Offset
        : throw new CommandException($"partition {partition} does not tell its offsets ({listed.Error}); see whether its leader runs with 'olog topics describe {partition.Topic}'.");
}
