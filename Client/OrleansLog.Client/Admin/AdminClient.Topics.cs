using OrleansLog.Client.Metadata;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client;

/// <summary>Topics and their records.</summary>
public sealed partial class AdminClient
{
    /// <exception cref="OrleansLogException">It exists already, its name or a setting is not valid, or no broker can take it.</exception>
    public async Task CreateTopicAsync(NewTopic topic, CancellationToken cancellationToken = default) =>
        (await CreateTopicsAsync([topic], validateOnly: false, cancellationToken))[0].ThrowIfFailed("create topic");

    /// <summary>Creates topics, each on its own: one that fails does not stop the others.</summary>
    /// <param name="topics">What to create.</param>
    /// <param name="validateOnly">Only says whether each could be created.</param>
    /// <param name="cancellationToken">Stops the wait; the topics may be created all the same.</param>
    public async Task<IReadOnlyList<ItemResult>> CreateTopicsAsync(
        IReadOnlyList<NewTopic> topics, bool validateOnly = false, CancellationToken cancellationToken = default)
    {
        var request = new CreateTopicsRequest
        {
            Topics = [.. topics.Select(ToRequest)],
            TimeoutMs = _cluster.Options.RequestTimeoutMs,
            ValidateOnly = validateOnly,
        };
        var response = await AskControllerAsync("create topics", request, response => response.Topics.Select(topic => topic.ErrorCode), cancellationToken);
        return [.. response.Topics.Select(topic => new ItemResult(topic.Name, topic.ErrorCode, topic.ErrorMessage))];
    }

    /// <exception cref="OrleansLogException">It does not exist, or may not be deleted.</exception>
    public async Task DeleteTopicAsync(string topic, CancellationToken cancellationToken = default) =>
        (await DeleteTopicsAsync([topic], cancellationToken))[0].ThrowIfFailed("delete topic");

    /// <summary>Deletes topics with all that is in them.</summary>
    public async Task<IReadOnlyList<ItemResult>> DeleteTopicsAsync(IReadOnlyList<string> topics, CancellationToken cancellationToken = default)
    {
        var request = new DeleteTopicsRequest
        {
            TopicNames = [.. topics],
            Topics = [.. topics.Select(topic => new DeleteTopicsRequest.DeleteTopicState { Name = topic })],
            TimeoutMs = _cluster.Options.RequestTimeoutMs,
        };
        var response = await AskControllerAsync("delete topics", request, response => response.Responses.Select(topic => topic.ErrorCode), cancellationToken);
        foreach (var topic in response.Responses.Where(topic => topic.ErrorCode == ErrorCode.None)) _cluster.Metadata.Forget(topic.Name!);
        return [.. response.Responses.Select(topic => new ItemResult(topic.Name!, topic.ErrorCode, topic.ErrorMessage))];
    }

    /// <summary>All topics by name; internal ones only if asked for.</summary>
    public async Task<IReadOnlyList<TopicListing>> ListTopicsAsync(bool includeInternal = false, CancellationToken cancellationToken = default)
    {
        var response = await AskForAllTopicsAsync("list topics", cancellationToken);
        return
        [
            .. NamedTopics(response).Where(topic => includeInternal || !topic.IsInternal).Select(topic =>
                new TopicListing(topic.Name!, topic.TopicId, topic.IsInternal, topic.Partitions.Count)),
        ];
    }

    /// <exception cref="OrleansLogException">It does not exist.</exception>
    public async Task<TopicDescription> DescribeTopicAsync(string topic, CancellationToken cancellationToken = default)
    {
        var request = new MetadataRequest { Topics = [new MetadataRequest.MetadataRequestTopic { Name = topic }], AllowAutoTopicCreation = false };
        var response = await _cluster.RetryAsync($"describe topic '{topic}'", async token =>
        {
            var answer = await _cluster.Transport.SendAsync(BrokerId.None, Lane.Control, request, token, versionMin: 1);
            if (answer.Topics[0].ErrorCode == ErrorCode.LeaderNotAvailable)
                throw new OrleansLogException(ErrorCode.LeaderNotAvailable, "it is being created.");
            return answer;
        }, cancellationToken);
        var found = response.Topics[0];
        Require(found.ErrorCode, found.ErrorCode == ErrorCode.UnknownTopicOrPartition ? "it does not exist" : null, $"describe topic '{topic}'");
        return Describe(TopicView.From(found, null));
    }

    /// <summary>Grows a topic to <paramref name="totalCount"/> partitions. Keys then land elsewhere than before.</summary>
    public async Task CreatePartitionsAsync(string topic, int totalCount, CancellationToken cancellationToken = default)
    {
        var request = new CreatePartitionsRequest
        {
            Topics = [new CreatePartitionsRequest.CreatePartitionsTopic { Name = topic, Count = totalCount, Assignments = null }],
            TimeoutMs = _cluster.Options.RequestTimeoutMs,
        };
        var what = $"grow topic '{topic}' to {totalCount} partitions";
        var response = await AskControllerAsync(what, request, response => response.Results.Select(result => result.ErrorCode), cancellationToken);
        Require(response.Results[0].ErrorCode, response.Results[0].ErrorMessage, what);
        _cluster.Metadata.RefreshBehind();
    }

    /// <summary>Deletes all records before the given offsets; <see cref="Offset.None"/> means all there are.</summary>
    /// <returns>The new log start offset of each partition, or its error.</returns>
    public async Task<IReadOnlyDictionary<TopicPartition, ListedOffset>> DeleteRecordsAsync(
        IReadOnlyDictionary<TopicPartition, Offset> before, CancellationToken cancellationToken = default)
    {
        foreach (var topic in before.Keys.Select(partition => partition.Topic).Distinct())
            await _cluster.Metadata.FindTopicAsync(topic, allowCreation: false, cancellationToken);
        Dictionary<TopicPartition, ListedOffset> results = [];
        await _cluster.RetryAsync("delete records", async token =>
        {
            await DeleteRecordsOnceAsync(before.Where(pair => !results.ContainsKey(pair.Key)), results, token);
            return true;
        }, cancellationToken);
        return results;
    }

    private Task<MetadataResponse> AskForAllTopicsAsync(string what, CancellationToken cancellationToken)
    {
        var request = new MetadataRequest { Topics = null, AllowAutoTopicCreation = false };
        return _cluster.RetryAsync(what, async token =>
            await _cluster.Transport.SendAsync(BrokerId.None, Lane.Control, request, token, versionMin: 1), cancellationToken);
    }

    private static IEnumerable<MetadataResponse.MetadataResponseTopic> NamedTopics(MetadataResponse response) =>
        response.Topics.Where(topic => topic.Name is not null).OrderBy(topic => topic.Name, StringComparer.Ordinal);

    private async Task DeleteRecordsOnceAsync(
        IEnumerable<KeyValuePair<TopicPartition, Offset>> before, Dictionary<TopicPartition, ListedOffset> results, CancellationToken cancellationToken)
    {
        var retriable = ErrorCode.None;
        foreach (var ofLeader in before.GroupBy(pair => _cluster.Metadata.View.Find(pair.Key)?.Leader ?? BrokerId.None).ToList())
        {
            var response = await _cluster.Transport.SendAsync(ofLeader.Key, Lane.Control, DeleteRequest(ofLeader), cancellationToken);
            foreach (var topic in response.Topics)
            {
                foreach (var partition in topic.Partitions)
                {
                    if (partition.ErrorCode.IsRetriable() && partition.ErrorCode != ErrorCode.UnknownTopicOrPartition) retriable = partition.ErrorCode;
                    else
                        results[new TopicPartition(topic.Name, partition.PartitionIndex)] =
                            new ListedOffset(new Offset(partition.LowWatermark), -1, LeaderEpoch.None, partition.ErrorCode);
                }
            }
        }
        if (retriable == ErrorCode.None) return;
        await _cluster.Metadata.RefreshAsync(cancellationToken);
        throw new OrleansLogException(retriable, $"the leader answers {retriable}.");
    }

    private DeleteRecordsRequest DeleteRequest(IEnumerable<KeyValuePair<TopicPartition, Offset>> before) => new()
    {
        TimeoutMs = _cluster.Options.RequestTimeoutMs,
        Topics =
        [
            .. before.GroupBy(pair => pair.Key.Topic).Select(topic => new DeleteRecordsRequest.DeleteRecordsTopic
            {
                Name = topic.Key,
                Partitions =
                [
                    .. topic.Select(pair => new DeleteRecordsRequest.DeleteRecordsPartition
                    {
                        PartitionIndex = pair.Key.Partition,
                        Offset = pair.Value.Value,
                    }),
                ],
            }),
        ],
    };

    private static CreateTopicsRequest.CreatableTopic ToRequest(NewTopic topic) => new()
    {
        Name = topic.Name,
        NumPartitions = topic.PartitionCount,
        ReplicationFactor = topic.ReplicationFactor,
        Configs = [.. topic.Configs.Select(config => new CreateTopicsRequest.CreatableTopicConfig { Name = config.Key, Value = config.Value })],
    };

    private static TopicDescription Describe(TopicView topic) =>
        new(topic.Name, topic.Id, topic.IsInternal, [.. topic.Partitions.Select(Describe)]);

    private static PartitionDescription Describe(PartitionView partition) => new(
        partition.Index, partition.Leader, partition.LeaderEpoch, partition.Replicas, partition.InSync, partition.Offline);
}
