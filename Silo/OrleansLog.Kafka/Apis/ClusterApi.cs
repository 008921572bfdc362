using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Partitions;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Kafka.Apis;

/// <summary>Describing the cluster and what its brokers keep on disk.</summary>
internal sealed class ClusterApi(Broker.Broker broker)
{
    private const sbyte Brokers = 1;

    public void Register(ApiDispatcher dispatcher)
    {
        dispatcher.Register<DescribeClusterRequest, DescribeClusterResponse>((request, _) => new(Describe(request, broker.Cluster)));
        dispatcher.Register<DescribeLogDirsRequest, DescribeLogDirsResponse>((request, _) => new(DescribeLogDirs(request)));
    }

    private static DescribeClusterResponse Describe(DescribeClusterRequest request, ClusterImage cluster) => request.EndpointType == Brokers
        ? new()
        {
            ClusterId = cluster.ClusterId,
            ControllerId = cluster.Controller.Value,
            Brokers =
            [
                .. cluster.Brokers.Select(living => Describe(living, isFenced: false)),
                .. (request.IncludeFencedBrokers ? cluster.Away : []).Select(away => Describe(away, isFenced: true)),
            ],
        }
        : new()
        {
            ErrorCode = ErrorCode.MismatchedEndpointType,
            ErrorMessage = "This is a broker's endpoint; there are no separate controllers.",
            EndpointType = Brokers,
        };

    private static DescribeClusterResponse.DescribeClusterBroker Describe(BrokerImage described, bool isFenced) => new()
    {
        BrokerId = described.Id.Value,
        Host = described.Host,
        Port = described.Port,
        Rack = described.Rack,
        IsFenced = isFenced,
    };

    private DescribeLogDirsResponse DescribeLogDirs(DescribeLogDirsRequest request)
    {
        var wanted = request.Topics?.ToDictionary(topic => topic.Topic, topic => topic.Partitions.ToHashSet());
        var partitions = broker.Partitions.All.Where(partition => IsWanted(partition, wanted));
        var (total, usable) = broker.Store.Space();
        return new DescribeLogDirsResponse
        {
            Results =
            [
                new()
                {
                    LogDir = Path.GetFullPath(broker.Store.Directory),
                    TotalBytes = total,
                    UsableBytes = usable,
                    Topics = [.. partitions.GroupBy(partition => partition.Id.Topic).Select(Describe)],
                },
            ],
        };
    }

    private static bool IsWanted(Partition partition, Dictionary<string, HashSet<int>>? wanted) =>
        wanted is null || (wanted.TryGetValue(partition.Id.Topic, out var indexes) && (indexes.Count == 0 || indexes.Contains(partition.Id.Partition)));

    private static DescribeLogDirsResponse.DescribeLogDirsTopic Describe(IGrouping<string, Partition> topic) => new()
    {
        Name = topic.Key,
        Partitions = [.. topic.OrderBy(partition => partition.Id.Partition).Select(partition => new DescribeLogDirsResponse.DescribeLogDirsPartition
        {
            PartitionIndex = partition.Id.Partition,
            PartitionSize = partition.Log.SizeInBytes,
        })],
    };
}
