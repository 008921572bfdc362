using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Metadata;

/// <summary>Asks the leaders of partitions for offsets by time or by end.</summary>
internal static class OffsetLookup
{
    /// <summary>
    /// Finds all offsets asked for, following leaders that move. A partition that fails for good has its error in its
    /// result.
    /// </summary>
    public static async Task<Dictionary<TopicPartition, ListedOffset>> FindAsync(
        Cluster cluster, IReadOnlyDictionary<TopicPartition, OffsetSpec> wanted, CancellationToken cancellationToken,
        IsolationLevel isolation = IsolationLevel.ReadUncommitted)
    {
        foreach (var topic in wanted.Keys.Select(partition => partition.Topic).Distinct())
            await cluster.Metadata.FindTopicAsync(topic, allowCreation: false, cancellationToken);
        Dictionary<TopicPartition, ListedOffset> found = [];
        await cluster.RetryAsync($"look up offsets of {string.Join(", ", wanted.Keys.Take(3))}", async token =>
        {
            await AskAllAsync(cluster, wanted.Where(pair => !found.ContainsKey(pair.Key)), found, isolation, token);
            return true;
        }, cancellationToken);
        return found;
    }

    private static async Task AskAllAsync(
        Cluster cluster,
        IEnumerable<KeyValuePair<TopicPartition, OffsetSpec>> wanted,
        Dictionary<TopicPartition, ListedOffset> found,
        IsolationLevel isolation,
        CancellationToken cancellationToken)
    {
        var missing = ErrorCode.None;
        foreach (var ofLeader in wanted.GroupBy(pair => cluster.Metadata.View.Find(pair.Key)?.Leader ?? BrokerId.None).ToList())
        {
            if (ofLeader.Key == BrokerId.None)
            {
                missing = SettleUnknown(cluster, ofLeader, found) ? missing : ErrorCode.LeaderNotAvailable;
                continue;
            }
            var response = await cluster.Transport.SendAsync(ofLeader.Key, Lane.Control, Question(cluster, ofLeader, isolation), cancellationToken);
            missing = Read(response, found) is var error && error != ErrorCode.None ? error : missing;
        }
        if (missing == ErrorCode.None) return;
        await cluster.Metadata.RefreshAsync(cancellationToken);
        throw new OrleansLogException(missing, $"the leader answers {missing}.");
    }

    // A partition beyond the topic's last is an error at once; one without a leader may get one.
    private static bool SettleUnknown(
        Cluster cluster, IEnumerable<KeyValuePair<TopicPartition, OffsetSpec>> wanted, Dictionary<TopicPartition, ListedOffset> found)
    {
        var areAllSettled = true;
        foreach (var (partition, _) in wanted)
        {
            if (cluster.Metadata.View.Find(partition) is null)
                found[partition] = new ListedOffset(Offset.None, -1, LeaderEpoch.None, ErrorCode.UnknownTopicOrPartition);
            else areAllSettled = false;
        }
        return areAllSettled;
    }

    private static ListOffsetsRequest Question(
        Cluster cluster, IEnumerable<KeyValuePair<TopicPartition, OffsetSpec>> wanted, IsolationLevel isolation) => new()
        {
            ReplicaId = -1,
            IsolationLevel = (sbyte)isolation,
            TimeoutMs = cluster.Options.RequestTimeoutMs,
            Topics =
        [
            .. wanted.GroupBy(pair => pair.Key.Topic).Select(topic => new ListOffsetsRequest.ListOffsetsTopic
            {
                Name = topic.Key,
                Partitions =
                [
                    .. topic.Select(pair => new ListOffsetsRequest.ListOffsetsPartition
                    {
                        PartitionIndex = pair.Key.Partition,
                        Timestamp = pair.Value.Code,
                    }),
                ],
            }),
        ],
        };

    private static ErrorCode Read(ListOffsetsResponse response, Dictionary<TopicPartition, ListedOffset> found)
    {
        var retriable = ErrorCode.None;
        foreach (var topic in response.Topics)
        {
            foreach (var partition in topic.Partitions)
            {
                if (partition.ErrorCode.IsRetriable()) retriable = partition.ErrorCode;
                else
                    found[new TopicPartition(topic.Name, partition.PartitionIndex)] = new ListedOffset(
                        new Offset(partition.Offset), partition.Timestamp, new LeaderEpoch(partition.LeaderEpoch), partition.ErrorCode);
            }
        }
        return retriable;
    }
}
