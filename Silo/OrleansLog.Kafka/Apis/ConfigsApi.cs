using OrleansLog.Broker.Configuration;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Kafka.Apis;

/// <summary>Describing and altering the configuration of topics and groups; describing that of brokers, which is set at start.</summary>
internal sealed class ConfigsApi(Broker.Broker broker)
{
    // Resource types (KIP-133).
    private const sbyte Topic = 2;
    private const sbyte Broker = 4;
    private const sbyte BrokerLogger = 8;
    private const sbyte ClientMetrics = ListConfigResourcesResponse.ClientMetrics;
    private const sbyte Group = 32; // KIP-932

    private const int GroupNameLengthMax = 8_192;

    private const string BrokersAreSetAtStart =
        "A broker's configuration is given when it starts (--config NAME=VALUE); it cannot be altered while it runs.";

    public void Register(ApiDispatcher dispatcher)
    {
        dispatcher.Register<DescribeConfigsRequest, DescribeConfigsResponse>(DescribeAsync);
        dispatcher.Register<ListConfigResourcesRequest, ListConfigResourcesResponse>(ListAsync);
        dispatcher.Register<AlterConfigsRequest, AlterConfigsResponse>(ReplaceAsync);
        dispatcher.Register<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(AlterAsync);
    }

    // There are no subscriptions to clients' metrics.
    private async ValueTask<ListConfigResourcesResponse> ListAsync(ListConfigResourcesRequest request, RequestContext context)
    {
        List<sbyte> types = context.Version == 0 ? [ClientMetrics] : request.ResourceTypes.Count == 0 ? [Topic, Broker, BrokerLogger, ClientMetrics, Group] : request.ResourceTypes;
        var response = new ListConfigResourcesResponse();
        foreach (var type in types.Distinct())
        {
            if (type is not (Topic or Broker or BrokerLogger or ClientMetrics or Group))
                return new() { ErrorCode = ErrorCode.UnsupportedVersion };
            try
            {
                foreach (var name in await NamesAsync(type, context.Closed))
                    response.ConfigResources.Add(new() { ResourceName = name, ResourceType = type });
            }
            catch (IOException)
            {
                return new() { ErrorCode = ErrorCode.KafkaStorageError };
            }
        }
        return response;
    }

    private async ValueTask<IEnumerable<string>> NamesAsync(sbyte type, CancellationToken closed) => type switch
    {
        Topic => broker.Cluster.Topics.Keys,
        Broker or BrokerLogger => broker.Cluster.Brokers.Select(each => each.Id.ToString()),
        Group => await broker.Sharing.Configs.ListGroupsAsync(closed),
        _ => [],
    };

    private async ValueTask<DescribeConfigsResponse> DescribeAsync(DescribeConfigsRequest request, RequestContext context)
    {
        var response = new DescribeConfigsResponse();
        foreach (var resource in request.Resources)
            response.Results.Add(await DescribeAsync(resource, request, context.Closed));
        return response;
    }

    private async ValueTask<DescribeConfigsResponse.DescribeConfigsResult> DescribeAsync(
        DescribeConfigsRequest.DescribeConfigsResource resource, DescribeConfigsRequest request, CancellationToken closed)
    {
        var result = new DescribeConfigsResponse.DescribeConfigsResult
        {
            ResourceType = resource.ResourceType,
            ResourceName = resource.ResourceName,
        };
        var (catalogue, values, error, message) = resource.ResourceType == Group
            ? await FindGroupAsync(resource.ResourceName, closed)
            : Find(resource.ResourceType, resource.ResourceName);
        (result.ErrorCode, result.ErrorMessage) = (error, message);
        if (error == ErrorCode.None)
            result.Configs.AddRange(catalogue!.Definitions
                .Where(definition => resource.ConfigurationKeys?.Contains(definition.Name) ?? true)
                .Select(definition => Describe(values!.Describe(definition), resource.ResourceType, request)));
        return result;
    }

    private (ConfigCatalogue? Catalogue, ConfigValues? Values, ErrorCode Error, string? Message) Find(sbyte type, string name) => type switch
    {
        Topic when broker.Cluster.FindTopic(name) is { } topic => (TopicConfigs.All, broker.Topics.ConfigOf(topic), ErrorCode.None, null),
        Topic => (null, null, ErrorCode.UnknownTopicOrPartition, $"There is no topic '{name}'."),
        Broker when name.Length == 0 || name == broker.Id.ToString() => (BrokerConfigs.All, Own(), ErrorCode.None, null),
        Broker => (null, null, ErrorCode.InvalidRequest, $"This is broker {broker.Id}; ask broker '{name}' itself."),
        _ => (null, null, ErrorCode.InvalidRequest, $"Resources of type {type} have no configuration here."),
    };

    private async ValueTask<(ConfigCatalogue? Catalogue, ConfigValues? Values, ErrorCode Error, string? Message)> FindGroupAsync(string name, CancellationToken closed)
    {
        if (RefuseGroup(name) is { } reason)
            return (null, null, ErrorCode.InvalidRequest, reason);
        try
        {
            return (GroupConfigDefinitions.All, await broker.Sharing.Configs.ReadAsync(name, closed), ErrorCode.None, null);
        }
        catch (IOException failed)
        {
            return (null, null, ErrorCode.KafkaStorageError, failed.Message);
        }
    }

    private static string? RefuseGroup(string name) => name.Length is 0 or > GroupNameLengthMax ? "The name of the group is empty or too long." : null;

    private ConfigValues Own() => broker.Topics.Defaults
        .With(ConfigSource.StaticBroker, BrokerConfigs.NodeId.Name, broker.Id.ToString())
        .With(ConfigSource.StaticBroker, BrokerConfigs.BrokerId.Name, broker.Id.ToString());

    private static DescribeConfigsResponse.DescribeConfigsResourceResult Describe(
        ConfigEntry entry, sbyte resourceType, DescribeConfigsRequest request) => new()
        {
            Name = entry.Definition.Name,
            Value = entry.Definition.IsSensitive ? null : entry.Value,
            ReadOnly = resourceType == Broker || entry.IsReadOnly,
            ConfigSource = (sbyte)entry.Source,
            IsSensitive = entry.Definition.IsSensitive,
            ConfigType = (sbyte)entry.Definition.Type,
            Documentation = request.IncludeDocumentation ? entry.Definition.Documentation : null,
            Synonyms = request.IncludeSynonyms ? [.. entry.Synonyms.Select(Describe)] : [],
        };

    private static DescribeConfigsResponse.DescribeConfigsSynonym Describe(ConfigCandidate candidate) => new()
    {
        Name = candidate.Name,
        Value = candidate.Given,
        Source = (sbyte)candidate.Source,
    };

    private async ValueTask<IncrementalAlterConfigsResponse> AlterAsync(IncrementalAlterConfigsRequest request, RequestContext context)
    {
        var response = new IncrementalAlterConfigsResponse();
        foreach (var resource in request.Resources)
        {
            ConfigChange[] changes = [.. resource.Configs.Select(config => new ConfigChange(config.Name, (ConfigOperation)config.ConfigOperation, config.Value))];
            var (error, message) = await ApplyAsync(
                resource.ResourceType, resource.ResourceName, changes, keepsOthers: true, request.ValidateOnly, context.Closed);
            response.Responses.Add(new()
            {
                ResourceType = resource.ResourceType,
                ResourceName = resource.ResourceName,
                ErrorCode = error,
                ErrorMessage = message,
            });
        }
        return response;
    }

    /// <summary>The older AlterConfigs: what is not named goes back to its default.</summary>
    private async ValueTask<AlterConfigsResponse> ReplaceAsync(AlterConfigsRequest request, RequestContext context)
    {
        var response = new AlterConfigsResponse();
        foreach (var resource in request.Resources)
        {
            ConfigChange[] changes = [.. resource.Configs.Select(config => new ConfigChange(config.Name, ConfigOperation.Set, config.Value))];
            var (error, message) = await ApplyAsync(
                resource.ResourceType, resource.ResourceName, changes, keepsOthers: false, request.ValidateOnly, context.Closed);
            response.Responses.Add(new()
            {
                ResourceType = resource.ResourceType,
                ResourceName = resource.ResourceName,
                ErrorCode = error,
                ErrorMessage = message,
            });
        }
        return response;
    }

    private async ValueTask<(ErrorCode Error, string? Message)> ApplyAsync(
        sbyte type, string name, ConfigChange[] changes, bool keepsOthers, bool validateOnly, CancellationToken closed)
    {
        if (type == Group)
            return await ApplyToGroupAsync(name, changes, keepsOthers, validateOnly, closed);
        var (_, values, error, message) = Find(type, name);
        if (error != ErrorCode.None)
            return (error, message);
        if (type == Broker)
            return (ErrorCode.InvalidRequest, BrokersAreSetAtStart);
        var outcome = await broker.Topics.AlterConfigAsync(
            name,
            current => TopicConfigs.All.Apply(keepsOthers ? current : current.Clear(), changes, values!.Text),
            validateOnly,
            closed);
        return (outcome.Error, outcome.Message);
    }

    private async ValueTask<(ErrorCode Error, string? Message)> ApplyToGroupAsync(
        string name, ConfigChange[] changes, bool keepsOthers, bool validateOnly, CancellationToken closed)
    {
        if (RefuseGroup(name) is { } reason)
            return (ErrorCode.InvalidRequest, reason);
        try
        {
            return await broker.Sharing.Configs.AlterAsync(
                name, current => GroupConfigDefinitions.Apply(keepsOthers ? current : current.Clear(), changes, broker.Topics.Defaults), validateOnly, closed);
        }
        catch (IOException failed)
        {
            return (ErrorCode.KafkaStorageError, failed.Message);
        }
    }
}
