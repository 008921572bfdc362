using OrleansLog.Client.Metadata;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client;

/// <summary>Brokers, configurations and offsets.</summary>
public sealed partial class AdminClient
{
    public async Task<ClusterDescription> DescribeClusterAsync(CancellationToken cancellationToken = default)
    {
        var brokers = await BrokersAsync(cancellationToken);
        var view = _cluster.Metadata.View;
        return new ClusterDescription(view.ClusterId, view.Controller, [.. brokers.OrderBy(broker => broker.Id.Value)]);
    }

    /// <summary>The brokers and every topic, internal ones too, as one broker knows them at one time.</summary>
    public async Task<ClusterContents> DescribeClusterContentsAsync(CancellationToken cancellationToken = default)
    {
        var response = await AskForAllTopicsAsync("describe the cluster", cancellationToken);
        var view = ClusterView.Empty.With(response);
        _cluster.Transport.LearnBrokers(view.Brokers);
        return new ClusterContents(
            new ClusterDescription(view.ClusterId, view.Controller, [.. view.Brokers.OrderBy(broker => broker.Id.Value)]),
            [.. NamedTopics(response).Where(topic => topic.ErrorCode == ErrorCode.None).Select(topic => Describe(view.Topics[topic.Name!]))]);
    }

    /// <summary>What has a configuration, of the types that are named, or of all (KIP-1142): of groups, those for which something is set.</summary>
    public async Task<IReadOnlyList<ConfigResource>> ListConfigResourcesAsync(
        IEnumerable<ConfigResourceType>? types = null, CancellationToken cancellationToken = default)
    {
        var request = new ListConfigResourcesRequest { ResourceTypes = [.. (types ?? []).Select(type => (sbyte)type)] };
        var response = await _cluster.RetryAsync(
            "list what has a configuration", async token => await _cluster.Transport.SendAsync(BrokerId.None, Lane.Control, request, token), cancellationToken);
        Require(response.ErrorCode, null, "list what has a configuration");
        return [.. response.ConfigResources.Select(resource => new ConfigResource((ConfigResourceType)resource.ResourceType, resource.ResourceName))];
    }

    /// <summary>The log directories of all brokers.</summary>
    public async Task<IReadOnlyList<LogDirectory>> DescribeLogDirectoriesAsync(CancellationToken cancellationToken = default) =>
        await DescribeLogDirectoriesAsync(await BrokersAsync(cancellationToken), cancellationToken);

    /// <summary>The log directories of brokers that were described before.</summary>
    public async Task<IReadOnlyList<LogDirectory>> DescribeLogDirectoriesAsync(
        IReadOnlyList<BrokerNode> brokers, CancellationToken cancellationToken = default)
    {
        List<LogDirectory> directories = [];
        foreach (var broker in brokers)
        {
            var request = new DescribeLogDirsRequest { Topics = null };
            var response = await _cluster.RetryAsync($"describe the log directories of broker {broker.Id}", async token =>
                await _cluster.Transport.SendAsync(broker.Id, Lane.Control, request, token), cancellationToken);
            Require(response.ErrorCode, null, $"describe the log directories of broker {broker.Id}");
            directories.AddRange(response.Results.Select(result => ToDirectory(broker.Id, result)));
        }
        return directories;
    }

    /// <exception cref="OrleansLogException">There is no such resource.</exception>
    public async Task<IReadOnlyList<ConfigEntry>> DescribeConfigsAsync(
        ConfigResource resource, bool includeDocumentation = false, CancellationToken cancellationToken = default)
    {
        var request = new DescribeConfigsRequest
        {
            Resources = [new() { ResourceType = (sbyte)resource.Type, ResourceName = resource.Name, ConfigurationKeys = null }],
            IncludeDocumentation = includeDocumentation,
        };
        var what = $"describe the configuration of {resource}";
        var response = await _cluster.RetryAsync(what, async token =>
            await _cluster.Transport.SendAsync(await OwnerOfAsync(resource, token), Lane.Control, request, token), cancellationToken);
        var result = response.Results[0];
        Require(result.ErrorCode, result.ErrorMessage, what);
        return
        [
            .. result.Configs.OrderBy(entry => entry.Name, StringComparer.Ordinal).Select(entry => new ConfigEntry(
                entry.Name, entry.Value, (ConfigSource)Math.Max(entry.ConfigSource, (sbyte)0), entry.ReadOnly, entry.IsSensitive, entry.Documentation)),
        ];
    }

    /// <summary>Changes the entries that are named and no others (KIP-339).</summary>
    /// <exception cref="OrleansLogException">There is no such resource or entry, or a value is not valid; then nothing was changed.</exception>
    public async Task AlterConfigsAsync(
        ConfigResource resource, IReadOnlyList<ConfigChange> changes, bool validateOnly = false, CancellationToken cancellationToken = default)
    {
        var request = new IncrementalAlterConfigsRequest
        {
            Resources =
            [
                new()
                {
                    ResourceType = (sbyte)resource.Type,
                    ResourceName = resource.Name,
                    Configs = [.. changes.Select(change => new IncrementalAlterConfigsRequest.AlterableConfig
                    {
                        Name = change.Name,
                        ConfigOperation = (sbyte)change.Operation,
                        Value = change.Value,
                    })],
                },
            ],
            ValidateOnly = validateOnly,
        };
        var what = $"change the configuration of {resource}";
        var response = await _cluster.RetryAsync(what, async token =>
            await _cluster.Transport.SendAsync(await OwnerOfAsync(resource, token), Lane.Control, request, token), cancellationToken);
        Require(response.Responses[0].ErrorCode, response.Responses[0].ErrorMessage, what);
    }

    /// <summary>Finds offsets by time or by end.</summary>
    /// <returns>An offset or an error for each partition.</returns>
    public Task<IReadOnlyDictionary<TopicPartition, ListedOffset>> ListOffsetsAsync(
        IReadOnlyDictionary<TopicPartition, OffsetSpec> partitions, CancellationToken cancellationToken = default) =>
        ListOffsetsAsync(partitions, IsolationLevel.ReadUncommitted, cancellationToken);

    /// <inheritdoc cref="ListOffsetsAsync(IReadOnlyDictionary{TopicPartition, OffsetSpec}, CancellationToken)"/>
    /// <param name="partitions">What to look for in each partition.</param>
    /// <param name="isolation">Whether the end is that of all records, or where a reader of committed ones has to stop.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    public async Task<IReadOnlyDictionary<TopicPartition, ListedOffset>> ListOffsetsAsync(
        IReadOnlyDictionary<TopicPartition, OffsetSpec> partitions, IsolationLevel isolation, CancellationToken cancellationToken = default) =>
        await OffsetLookup.FindAsync(_cluster, partitions, cancellationToken, isolation);

    // A broker's own settings are known to that broker alone.
    private async ValueTask<BrokerId> OwnerOfAsync(ConfigResource resource, CancellationToken cancellationToken)
    {
        if (resource.Type is not (ConfigResourceType.Broker or ConfigResourceType.BrokerLogger) || !int.TryParse(resource.Name, out var id)) return BrokerId.None;
        if (_cluster.Metadata.View.Brokers.IsEmpty) await _cluster.Metadata.RefreshAsync(cancellationToken);
        return new BrokerId(id);
    }

    private static LogDirectory ToDirectory(BrokerId broker, DescribeLogDirsResponse.DescribeLogDirsResult result) => new(
        broker, result.LogDir, result.ErrorCode, result.TotalBytes, result.UsableBytes,
        [
            .. from topic in result.Topics
               from partition in topic.Partitions
               select new LogDirectoryPartition(new TopicPartition(topic.Name, partition.PartitionIndex), partition.PartitionSize),
        ]);
}
