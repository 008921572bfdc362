using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>The bytes that partitions take on disk: the largest replica stands for the partition.</summary>
internal sealed class PartitionSizes(IReadOnlyList<LogDirectory> directories)
{
    private readonly Dictionary<TopicPartition, long> _sizes = directories
        .SelectMany(d => d.Partitions)
        .GroupBy(p => p.Partition)
        .ToDictionary(g => g.Key, g => g.Max(p => p.SizeInBytes));

    public static async Task<PartitionSizes> OfClusterAsync(AdminClient admin, CancellationToken cancellationToken) =>
        new(await admin.DescribeLogDirectoriesAsync(cancellationToken));

    public long Of(TopicPartition partition) => _sizes.GetValueOrDefault(partition);
}
