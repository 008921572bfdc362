using System.Collections.Immutable;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Topics;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Kafka.Apis;

/// <summary>Creating, growing and deleting topics.</summary>
internal sealed class TopicsApi(Broker.Broker broker)
{
    public void Register(ApiDispatcher dispatcher)
    {
        dispatcher.Register<CreateTopicsRequest, CreateTopicsResponse>(CreateAsync);
        dispatcher.Register<DeleteTopicsRequest, DeleteTopicsResponse>(DeleteAsync);
        dispatcher.Register<CreatePartitionsRequest, CreatePartitionsResponse>(GrowAsync);
    }

    private async ValueTask<CreateTopicsResponse> CreateAsync(CreateTopicsRequest request, RequestContext context)
    {
        var response = new CreateTopicsResponse();
        foreach (var topic in request.Topics)
        {
            var outcome = request.Topics.Count(other => other.Name == topic.Name) > 1
                ? TopicOutcome.Refused(ErrorCode.InvalidRequest, $"'{topic.Name}' is named more than once in the request.")
                : await CreateAsync(topic, request.ValidateOnly, context.Closed);
            response.Topics.Add(Describe(topic.Name, outcome));
        }
        return response;
    }

    private async ValueTask<TopicOutcome> CreateAsync(CreateTopicsRequest.CreatableTopic topic, bool validateOnly, CancellationToken closed)
    {
        if (topic.Assignments.Count > 0 && (topic.NumPartitions != -1 || topic.ReplicationFactor != -1))
            return TopicOutcome.Refused(ErrorCode.InvalidRequest, "Give either an assignment or the numbers of partitions and replicas.");
        if (topic.Configs.FirstOrDefault(config => config.Value is null) is { } unset)
            return TopicOutcome.Refused(ErrorCode.InvalidConfig, $"{unset.Name} needs a value.");
        if (topic.Assignments.OrderBy(a => a.PartitionIndex).Where((a, index) => a.PartitionIndex != index).Any())
            return TopicOutcome.Refused(ErrorCode.InvalidReplicaAssignment, "The partitions of an assignment count from 0 without a gap.");
        return await broker.Topics.CreateAsync(ToNewTopic(topic), validateOnly, closed);
    }

    private static NewTopic ToNewTopic(CreateTopicsRequest.CreatableTopic topic) =>
        new(topic.Name, topic.NumPartitions, topic.ReplicationFactor)
        {
            Config = topic.Configs.Aggregate(
                ImmutableDictionary<string, string>.Empty, (all, config) => all.SetItem(config.Name, config.Value!)),
            Assignment = topic.Assignments.Count == 0
                ? null
                : [.. topic.Assignments.OrderBy(a => a.PartitionIndex).Select(a => ToBrokerIds(a.BrokerIds))],
        };

    private CreateTopicsResponse.CreatableTopicResult Describe(string name, TopicOutcome outcome) => outcome.Topic is { } topic
        ? new()
        {
            Name = name,
            TopicId = topic.Id,
            NumPartitions = topic.Partitions.Length,
            ReplicationFactor = (short)topic.Partitions[0].Replicas.Length,
            Configs = [.. TopicConfigs.All.Definitions.Select(definition => Describe(broker.Topics.ConfigOf(topic).Describe(definition)))],
        }
        : new() { Name = name, ErrorCode = outcome.Error, ErrorMessage = outcome.Message };

    private static CreateTopicsResponse.CreatableTopicConfigs Describe(ConfigEntry entry) => new()
    {
        Name = entry.Definition.Name,
        Value = entry.Value,
        ConfigSource = (sbyte)entry.Source,
        ReadOnly = entry.IsReadOnly,
    };

    private async ValueTask<DeleteTopicsResponse> DeleteAsync(DeleteTopicsRequest request, RequestContext context)
    {
        var response = new DeleteTopicsResponse();
        foreach (var topic in request.Topics.Concat(request.TopicNames.Select(name => new DeleteTopicsRequest.DeleteTopicState { Name = name })))
        {
            var name = topic.Name ?? broker.Cluster.FindTopic(topic.TopicId)?.Name;
            var outcome = name is null
                ? TopicOutcome.Refused(ErrorCode.UnknownTopicId, $"There is no topic with the id {topic.TopicId}.")
                : await broker.Topics.DeleteAsync(name, context.Closed);
            response.Responses.Add(new()
            {
                Name = name,
                TopicId = outcome.Topic?.Id ?? topic.TopicId,
                ErrorCode = outcome.Error,
                ErrorMessage = outcome.Message,
            });
        }
        return response;
    }

    private async ValueTask<CreatePartitionsResponse> GrowAsync(CreatePartitionsRequest request, RequestContext context)
    {
        var response = new CreatePartitionsResponse();
        foreach (var topic in request.Topics)
        {
            IReadOnlyList<IReadOnlyList<BrokerId>>? assignment =
                topic.Assignments is { } chosen ? [.. chosen.Select(a => ToBrokerIds(a.BrokerIds))] : null;
            var outcome = await broker.Topics.AddPartitionsAsync(topic.Name, topic.Count, assignment, request.ValidateOnly, context.Closed);
            response.Results.Add(new() { Name = topic.Name, ErrorCode = outcome.Error, ErrorMessage = outcome.Message });
        }
        return response;
    }

    private static BrokerId[] ToBrokerIds(List<int> ids) => [.. ids.Select(id => new BrokerId(id))];
}
