using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Topics;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Kafka.Apis;

/// <summary>Metadata: the brokers, the topics, who leads which partition. Naming a topic may create it.</summary>
internal sealed class MetadataApi(Broker.Broker broker)
{
    public void Register(ApiDispatcher dispatcher)
    {
        dispatcher.Register<MetadataRequest, MetadataResponse>(HandleAsync);
        dispatcher.Register<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(
            (request, _) => new(DescribePartitions.Answer(request, broker.Cluster)));
    }

    private async ValueTask<MetadataResponse> HandleAsync(MetadataRequest request, RequestContext context)
    {
        var wantsAll = request.Topics is null || (context.Version == 0 && request.Topics.Count == 0);
        var mayCreate = request.AllowAutoTopicCreation && broker.Config.CreatesTopicsOnDemand;
        var topics = wantsAll
            ? broker.Cluster.Topics.Values.Select(topic => Describe(topic, broker.Cluster)).ToList()
            : await DescribeAsync(request.Topics!, mayCreate, context.Closed);
        var cluster = broker.Cluster;
        return new MetadataResponse
        {
            ClusterId = cluster.ClusterId,
            ControllerId = cluster.Controller.Value,
            Brokers = [.. cluster.Brokers.Select(Describe)],
            Topics = topics,
        };
    }

    private async ValueTask<List<MetadataResponse.MetadataResponseTopic>> DescribeAsync(
        List<MetadataRequest.MetadataRequestTopic> topics, bool mayCreate, CancellationToken cancellationToken)
    {
        var described = new List<MetadataResponse.MetadataResponseTopic>(topics.Count);
        foreach (var topic in topics)
        {
            described.Add(topic.Name is { } name
                ? await DescribeAsync(name, mayCreate, cancellationToken)
                : DescribeById(topic.TopicId));
        }
        return described;
    }

    private MetadataResponse.MetadataResponseTopic DescribeById(Guid id) => broker.Cluster.FindTopic(id) is { } topic
        ? Describe(topic, broker.Cluster)
        : new() { Name = null, TopicId = id, ErrorCode = ErrorCode.UnknownTopicId };

    private async ValueTask<MetadataResponse.MetadataResponseTopic> DescribeAsync(
        string name, bool mayCreate, CancellationToken cancellationToken)
    {
        var topic = broker.Cluster.FindTopic(name);
        if (topic is null && TopicName.Refuse(name) is not null)
            return new() { Name = name, ErrorCode = ErrorCode.InvalidTopicException };
        if (topic is null && mayCreate)
            topic = await CreateAsync(name, cancellationToken);
        return topic is null
            ? new() { Name = name, ErrorCode = ErrorCode.UnknownTopicOrPartition }
            : Describe(topic, broker.Cluster);
    }

    /// <summary>Creates a topic with the defaults; two clients that name it at once both get it.</summary>
    private async ValueTask<TopicImage?> CreateAsync(string name, CancellationToken cancellationToken)
    {
        var created = name switch
        {
            TopicName.ConsumerOffsets => await broker.EnsureOffsetsTopicAsync(cancellationToken),
            TopicName.TransactionState => await broker.EnsureTransactionTopicAsync(cancellationToken),
            TopicName.ShareGroupState => await broker.EnsureShareStateTopicAsync(cancellationToken),
            _ => await broker.Topics.CreateAsync(new NewTopic(name), validateOnly: false, cancellationToken),
        };
        return created.Topic ?? broker.Cluster.FindTopic(name);
    }

    private static MetadataResponse.MetadataResponseBroker Describe(BrokerImage described) => new()
    {
        NodeId = described.Id.Value,
        Host = described.Host,
        Port = described.Port,
        Rack = described.Rack,
    };

    private static MetadataResponse.MetadataResponseTopic Describe(TopicImage topic, ClusterImage cluster) => new()
    {
        Name = topic.Name,
        TopicId = topic.Id,
        IsInternal = TopicName.IsInternal(topic.Name),
        Partitions = [.. topic.Partitions.Select((partition, index) => Describe(partition, index, cluster))],
    };

    private static MetadataResponse.MetadataResponsePartition Describe(PartitionRecord partition, int index, ClusterImage cluster)
    {
        var led = cluster.FindBroker(partition.Leader) is not null;
        return new()
        {
            ErrorCode = led ? ErrorCode.None : ErrorCode.LeaderNotAvailable,
            PartitionIndex = index,
            LeaderId = led ? partition.Leader.Value : BrokerId.None.Value,
            LeaderEpoch = partition.LeaderEpoch.Value,
            ReplicaNodes = [.. partition.Replicas.Select(id => id.Value)],
            IsrNodes = [.. partition.InSync.Select(member => member.Broker.Value)],
            OfflineReplicas = [.. partition.Replicas.Where(id => cluster.FindBroker(id) is null).Select(id => id.Value)],
        };
    }
}
