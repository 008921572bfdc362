using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>How many bytes of each partition lie on each broker: tells how far a move is.</summary>
internal sealed class MoveSizes(IReadOnlyList<LogDirectory> directories)
{
    private static readonly TimeSpan AnswerTimeMax = TimeSpan.FromSeconds(3);

    private readonly Dictionary<(TopicPartition, BrokerId), long> _sizes = directories
        .SelectMany(directory => directory.Partitions.Select(partition => (Key: (partition.Partition, directory.Broker), partition.SizeInBytes)))
        .GroupBy(each => each.Key)
        .ToDictionary(same => same.Key, same => same.Max(each => each.SizeInBytes));

    /// <returns>Null when a broker does not answer: what is shown of a move must not hold it up.</returns>
    public static async Task<MoveSizes?> OfClusterAsync(AdminClient admin, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerTimeMax);
        try
        {
            return new(await admin.DescribeLogDirectoriesAsync(limit.Token));
        }
        catch (Exception e) when (e is OrleansLogException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Bytes that the brokers which come have, and those that they will have.</summary>
    public (long Copied, long Total) Of(PartitionReassignment move)
    {
        var full = move.Replicas.Except(move.Adding).Select(broker => SizeOf(move.Partition, broker)).DefaultIfEmpty().Max();
        // One that compacts or cuts differently may have more than the others.
        return (move.Adding.Sum(broker => Math.Min(SizeOf(move.Partition, broker), full)), full * move.Adding.Count);
    }

    /// <summary>For instance <c>, 1.0 MB of 4.0 MB copied</c>.</summary>
    public string Describe(IReadOnlyList<PartitionReassignment> moves)
    {
        var parts = moves.Select(Of).ToList();
        return $", {Units.Bytes(parts.Sum(part => part.Copied))} of {Units.Bytes(parts.Sum(part => part.Total))} copied";
    }

    private long SizeOf(TopicPartition partition, BrokerId broker) => _sizes.GetValueOrDefault((partition, broker));
}
