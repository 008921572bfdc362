using OrleansLog.Broker.Topics;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Kafka.Apis;

/// <summary>Moving partitions between brokers, electing their leaders, and taking leave of brokers.</summary>
internal sealed class ReplicasApi(Broker.Broker broker)
{
    private const sbyte Preferred = 0;
    private const sbyte Unclean = 1;

    // Each is a write or two to the metadata register.
    private const int ChangesAtOnceMax = 64;

    private readonly ReplicaMoves _moves = new(broker.Topics);
    private readonly LeaderElections _elections = new(broker.Topics, broker.Time);
    private readonly BrokerRemoval _removal = new(broker.Topics);

    public void Register(ApiDispatcher dispatcher)
    {
        dispatcher.Register<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(AlterAsync);
        dispatcher.Register<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>((request, _) => new(List(request)));
        dispatcher.Register<ElectLeadersRequest, ElectLeadersResponse>(ElectAsync);
        dispatcher.Register<UnregisterBrokerRequest, UnregisterBrokerResponse>(UnregisterAsync);
    }

    private async ValueTask<AlterPartitionReassignmentsResponse> AlterAsync(AlterPartitionReassignmentsRequest request, RequestContext context)
    {
        var asked = request.Topics.SelectMany(topic => topic.Partitions.Select(
            partition => (Id: new TopicPartition(topic.Name, partition.PartitionIndex), partition.Replicas)));
        var outcomes = await EachAsync(asked, each => each.Replicas is { } replicas
            ? _moves.BeginAsync(each.Id, [.. replicas.Select(id => new BrokerId(id))], request.AllowReplicationFactorChange, context.Closed)
            : _moves.CancelAsync(each.Id, context.Closed));
        return new()
        {
            AllowReplicationFactorChange = request.AllowReplicationFactorChange,
            Responses = [.. outcomes.GroupBy(outcome => outcome.Partition.Topic).Select(topic => new AlterPartitionReassignmentsResponse.ReassignableTopicResponse
            {
                Name = topic.Key,
                Partitions = [.. topic.Select(outcome => new AlterPartitionReassignmentsResponse.ReassignablePartitionResponse
                {
                    PartitionIndex = outcome.Partition.Partition,
                    ErrorCode = outcome.Error,
                    ErrorMessage = outcome.Message,
                })],
            })],
        };
    }

    private ListPartitionReassignmentsResponse List(ListPartitionReassignmentsRequest request)
    {
        var cluster = broker.Cluster;
        var wanted = request.Topics?.GroupBy(topic => topic.Name).ToDictionary(topic => topic.Key, topic => topic.SelectMany(each => each.PartitionIndexes).ToHashSet());
        var response = new ListPartitionReassignmentsResponse();
        foreach (var topic in cluster.Topics.Values.Where(topic => wanted?.ContainsKey(topic.Name) ?? true))
        {
            var moving = ReplicaMoves.UnderWay(topic).Where(move => wanted is null || wanted[topic.Name].Contains(move.Index)).ToList();
            if (moving.Count > 0)
                response.Topics.Add(new() { Name = topic.Name, Partitions = [.. moving.Select(move => Describe(move.Index, move.Record))] });
        }
        return response;
    }

    private static ListPartitionReassignmentsResponse.OngoingPartitionReassignment Describe(int index, Replication.Metadata.PartitionRecord record) => new()
    {
        PartitionIndex = index,
        Replicas = Numbers(record.Replicas),
        AddingReplicas = Numbers(record.Adding),
        RemovingReplicas = Numbers(record.Removing),
    };

    private async ValueTask<ElectLeadersResponse> ElectAsync(ElectLeadersRequest request, RequestContext context)
    {
        if (request.ElectionType is not (Preferred or Unclean))
            return new() { ErrorCode = ErrorCode.InvalidRequest };
        var timeout = TimeSpan.FromMilliseconds(Math.Max(request.TimeoutMs, 0));
        var asked = request.Topics?.SelectMany(topic => topic.Partitions.Select(index => new TopicPartition(topic.Topic, index))) ?? EveryPartition();
        var outcomes = await EachAsync(asked.Distinct(), id => request.ElectionType == Preferred
            ? _elections.ElectPreferredAsync(id, timeout, context.Closed)
            : _elections.ElectUncleanAsync(id, timeout, context.Closed));
        var told = outcomes.Where(outcome => request.Topics is not null || outcome.Error != ErrorCode.ElectionNotNeeded);
        return new()
        {
            ReplicaElectionResults = [.. told.GroupBy(outcome => outcome.Partition.Topic).Select(topic => new ElectLeadersResponse.ReplicaElectionResult
            {
                Topic = topic.Key,
                PartitionResult = [.. topic.Select(outcome => new ElectLeadersResponse.PartitionResult
                {
                    PartitionId = outcome.Partition.Partition,
                    ErrorCode = outcome.Error,
                    ErrorMessage = outcome.Message,
                })],
            })],
        };
    }

    private async ValueTask<UnregisterBrokerResponse> UnregisterAsync(UnregisterBrokerRequest request, RequestContext context)
    {
        var (error, message) = await _removal.UnregisterAsync(new BrokerId(request.BrokerId), context.Closed);
        return new() { ErrorCode = error, ErrorMessage = message };
    }

    private IEnumerable<TopicPartition> EveryPartition() =>
        broker.Cluster.Topics.Values.SelectMany(topic => Enumerable.Range(0, topic.Partitions.Length).Select(index => new TopicPartition(topic.Name, index)));

    private static async Task<List<PartitionOutcome>> EachAsync<T>(IEnumerable<T> asked, Func<T, Task<PartitionOutcome>> change)
    {
        var outcomes = new List<PartitionOutcome>();
        foreach (var some in asked.Chunk(ChangesAtOnceMax))
            outcomes.AddRange(await Task.WhenAll(some.Select(change)));
        return outcomes;
    }

    private static List<int> Numbers(IEnumerable<BrokerId> brokers) => [.. brokers.Select(id => id.Value)];
}
