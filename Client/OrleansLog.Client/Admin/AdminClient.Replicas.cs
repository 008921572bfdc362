using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client;

/// <summary>Leaders, and the brokers that hold partitions.</summary>
public sealed partial class AdminClient
{
    private const short FirstVersionWithElectionType = 1;
    private const short FirstVersionThatGuardsTheFactor = 1;

    /// <summary>Elects a leader for each partition (KIP-460).</summary>
    /// <param name="type">Which replica may become leader.</param>
    /// <param name="partitions">The partitions; null for all there are.</param>
    /// <param name="cancellationToken">Stops the wait; the elections may take place all the same.</param>
    /// <returns>
    /// A result for each partition named, <see cref="ErrorCode.ElectionNotNeeded"/> where the leader is the right one
    /// already; of all partitions only those that needed one.
    /// </returns>
    public async Task<IReadOnlyList<PartitionResult>> ElectLeadersAsync(
        ElectionType type, IReadOnlyCollection<TopicPartition>? partitions = null, CancellationToken cancellationToken = default)
    {
        var request = new ElectLeadersRequest
        {
            ElectionType = (sbyte)type,
            Topics = partitions?.GroupBy(partition => partition.Topic).Select(topic => new ElectLeadersRequest.TopicPartitions
            {
                Topic = topic.Key,
                Partitions = [.. topic.Select(partition => partition.Partition)],
            }).ToList(),
            TimeoutMs = _cluster.Options.RequestTimeoutMs,
        };
        const string what = "elect leaders";
        var versionMin = type == ElectionType.Preferred ? (short)0 : FirstVersionWithElectionType;
        var response = await AskControllerAsync(what, request, ErrorsOf, cancellationToken, versionMin);
        Require(response.ErrorCode, null, what);
        return
        [
            .. from topic in response.ReplicaElectionResults
               from partition in topic.PartitionResult
               select new PartitionResult(new TopicPartition(topic.Topic, partition.PartitionId), partition.ErrorCode, partition.ErrorMessage),
        ];

        static IEnumerable<ErrorCode> ErrorsOf(ElectLeadersResponse response) =>
            response.ReplicaElectionResults.SelectMany(topic => topic.PartitionResult).Select(partition => partition.ErrorCode).Append(response.ErrorCode);
    }

    /// <summary>
    /// Begins to move partitions to other brokers, or calls such moves off. The move goes on after the answer; a
    /// partition serves all the while. Each partition stands on its own: one that fails does not stop the others.
    /// </summary>
    /// <param name="moves">The brokers that shall hold each partition, the preferred leader first; null calls its move off.</param>
    /// <param name="allowReplicationFactorChange">
    /// Whether a partition may get more or fewer replicas. False needs brokers that know KIP-860 (Kafka 4.1).
    /// </param>
    /// <param name="cancellationToken">Stops the wait; the moves may begin all the same.</param>
    public async Task<IReadOnlyList<PartitionResult>> AlterPartitionReassignmentsAsync(
        IReadOnlyDictionary<TopicPartition, IReadOnlyList<BrokerId>?> moves,
        bool allowReplicationFactorChange = true,
        CancellationToken cancellationToken = default)
    {
        var request = new AlterPartitionReassignmentsRequest
        {
            TimeoutMs = _cluster.Options.RequestTimeoutMs,
            AllowReplicationFactorChange = allowReplicationFactorChange,
            Topics = [.. moves.GroupBy(move => move.Key.Topic).Select(ToRequest)],
        };
        const string what = "move partitions";
        var versionMin = allowReplicationFactorChange ? (short)0 : FirstVersionThatGuardsTheFactor;
        var response = await AskControllerAsync(what, request, ErrorsOf, cancellationToken, versionMin);
        Require(response.ErrorCode, response.ErrorMessage, what);
        _cluster.Metadata.RefreshBehind();
        return
        [
            .. from topic in response.Responses
               from partition in topic.Partitions
               select new PartitionResult(new TopicPartition(topic.Name, partition.PartitionIndex), partition.ErrorCode, partition.ErrorMessage),
        ];

        static IEnumerable<ErrorCode> ErrorsOf(AlterPartitionReassignmentsResponse response) =>
            response.Responses.SelectMany(topic => topic.Partitions).Select(partition => partition.ErrorCode).Append(response.ErrorCode);
    }

    /// <summary>The partitions that are being moved, of all or of those given, by name.</summary>
    public async Task<IReadOnlyList<PartitionReassignment>> ListPartitionReassignmentsAsync(
        IReadOnlyCollection<TopicPartition>? partitions = null, CancellationToken cancellationToken = default)
    {
        var request = new ListPartitionReassignmentsRequest
        {
            TimeoutMs = _cluster.Options.RequestTimeoutMs,
            Topics = partitions?.GroupBy(partition => partition.Topic).Select(topic => new ListPartitionReassignmentsRequest.ListPartitionReassignmentsTopics
            {
                Name = topic.Key,
                PartitionIndexes = [.. topic.Select(partition => partition.Partition)],
            }).ToList(),
        };
        const string what = "list the partitions that are being moved";
        var response = await AskControllerAsync(what, request, response => [response.ErrorCode], cancellationToken);
        Require(response.ErrorCode, response.ErrorMessage, what);
        return
        [
            .. from topic in response.Topics.OrderBy(topic => topic.Name, StringComparer.Ordinal)
               from partition in topic.Partitions.OrderBy(partition => partition.PartitionIndex)
               select new PartitionReassignment(
                   new TopicPartition(topic.Name, partition.PartitionIndex),
                   Ids(partition.Replicas), Ids(partition.AddingReplicas), Ids(partition.RemovingReplicas)),
        ];
    }

    /// <summary>Makes the cluster forget a broker that is gone for good and holds nothing any more.</summary>
    /// <exception cref="OrleansLogException">There is no such broker, or it still lives.</exception>
    public async Task UnregisterBrokerAsync(BrokerId broker, CancellationToken cancellationToken = default)
    {
        var what = $"forget broker {broker}";
        var request = new UnregisterBrokerRequest { BrokerId = broker.Value };
        var response = await AskControllerAsync(what, request, response => [response.ErrorCode], cancellationToken);
        Require(response.ErrorCode, response.ErrorMessage, what);
    }

    private static AlterPartitionReassignmentsRequest.ReassignableTopic ToRequest(
        IGrouping<string, KeyValuePair<TopicPartition, IReadOnlyList<BrokerId>?>> moves) => new()
        {
            Name = moves.Key,
            Partitions = [.. moves.Select(move => new AlterPartitionReassignmentsRequest.ReassignablePartition
            {
                PartitionIndex = move.Key.Partition,
                Replicas = move.Value?.Select(broker => broker.Value).ToList(),
            })],
        };

    private static BrokerId[] Ids(List<int> brokers) => [.. brokers.Select(broker => new BrokerId(broker))];
}
