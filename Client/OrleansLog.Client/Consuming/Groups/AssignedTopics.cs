using OrleansLog.Client.Metadata;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Consuming;

/// <summary>Finds the names of the topics that a coordinator names by their ids only.</summary>
internal sealed class AssignedTopics(Cluster cluster)
{
    /// <summary>The first version in which a broker can be asked for a topic by its id.</summary>
    private const short TopicIdVersion = 12;

    /// <summary>The partitions by the names of their topics. Those of topics that are gone meanwhile are left out.</summary>
    /// <exception cref="OrleansLogException">No broker told the names.</exception>
    public async Task<List<TopicPartition>> NameAsync(List<ConsumerGroupHeartbeat.TopicPartitions> given, CancellationToken cancellationToken)
    {
        var names = cluster.Metadata.View.Topics.Values.Where(topic => topic.Error == ErrorCode.None).ToDictionary(topic => topic.Id, topic => topic.Name);
        var unknown = given.ConvertAll(topic => topic.TopicId).FindAll(id => !names.ContainsKey(id));
        if (unknown.Count > 0)
        {
            foreach (var topic in await AskAsync(unknown, cancellationToken)) names[topic.TopicId] = topic.Name!;
            foreach (var id in unknown.Where(names.ContainsKey)) cluster.Metadata.Name(names[id], allowCreation: false);
            await cluster.Metadata.RefreshAsync(cancellationToken);
        }
        return [.. given.Where(topic => names.ContainsKey(topic.TopicId)).SelectMany(topic => topic.Partitions, (topic, index) => new TopicPartition(names[topic.TopicId], index))];
    }

    private async Task<IEnumerable<MetadataResponse.MetadataResponseTopic>> AskAsync(List<Guid> ids, CancellationToken cancellationToken)
    {
        var request = new MetadataRequest
        {
            Topics = ids.ConvertAll(id => new MetadataRequest.MetadataRequestTopic { TopicId = id, Name = null }),
            AllowAutoTopicCreation = false,
        };
        var response = await cluster.Transport.SendAsync(BrokerId.None, Lane.Control, request, cancellationToken, versionMin: TopicIdVersion);
        return response.Topics.Where(topic => topic.ErrorCode == ErrorCode.None && topic.Name is not null);
    }
}
