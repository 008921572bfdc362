using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using static OrleansLog.Protocol.Messages.OffsetFetchRequest;
using static OrleansLog.Protocol.Messages.OffsetFetchResponse;

namespace OrleansLog.Coordination;

/// <summary>Answers about offsets in the forms that the versions of the APIs have for them.</summary>
internal static class OffsetAnswers
{
    /// <summary>The same error for every partition of a commit.</summary>
    public static OffsetCommitResponse Refuse(OffsetCommitRequest request, ErrorCode error) => new()
    {
        Topics = request.Topics.ConvertAll(topic => new OffsetCommitResponse.OffsetCommitResponseTopic
        {
            Name = topic.Name,
            Partitions = topic.Partitions.ConvertAll(partition =>
                new OffsetCommitResponse.OffsetCommitResponsePartition { PartitionIndex = partition.PartitionIndex, ErrorCode = error }),
        }),
    };

    /// <inheritdoc cref="Refuse(OffsetCommitRequest, ErrorCode)"/>
    public static TxnOffsetCommitResponse Refuse(TxnOffsetCommitRequest request, ErrorCode error) => new()
    {
        Topics = request.Topics.ConvertAll(topic => new TxnOffsetCommitResponse.TxnOffsetCommitResponseTopic
        {
            Name = topic.Name,
            Partitions = topic.Partitions.ConvertAll(partition =>
                new TxnOffsetCommitResponse.TxnOffsetCommitResponsePartition { PartitionIndex = partition.PartitionIndex, ErrorCode = error }),
        }),
    };

    /// <summary>A fetch of up to version 7 as one of version 8.</summary>
    public static OffsetFetchRequestGroup ToGroup(OffsetFetchRequest request) => new()
    {
        GroupId = request.GroupId,
        Topics = request.Topics?.ConvertAll(topic =>
            new OffsetFetchRequestTopics { Name = topic.Name, PartitionIndexes = topic.PartitionIndexes }),
    };

    /// <summary>
    /// An answer of version 8 as one of up to version 7. Versions 0 and 1 have no error of the whole: there it stands
    /// with every partition.
    /// </summary>
    public static OffsetFetchResponse ToSingleGroup(OffsetFetchResponseGroup group, OffsetFetchRequest request, short version) =>
        group.ErrorCode != ErrorCode.None && version < 2
            ? new OffsetFetchResponse { Topics = request.Topics?.ConvertAll(topic => Refuse(topic, group.ErrorCode)) ?? [] }
            : new OffsetFetchResponse { ErrorCode = group.ErrorCode, Topics = group.Topics.ConvertAll(ToSingleGroup) };

    private static OffsetFetchResponseTopic ToSingleGroup(OffsetFetchResponseTopics topic) => new()
    {
        Name = topic.Name,
        Partitions = topic.Partitions.ConvertAll(partition => new OffsetFetchResponsePartition
        {
            PartitionIndex = partition.PartitionIndex,
            CommittedOffset = partition.CommittedOffset,
            CommittedLeaderEpoch = partition.CommittedLeaderEpoch,
            Metadata = partition.Metadata,
            ErrorCode = partition.ErrorCode,
        }),
    };

    private static OffsetFetchResponseTopic Refuse(OffsetFetchRequestTopic topic, ErrorCode error) => new()
    {
        Name = topic.Name,
        Partitions = topic.PartitionIndexes.ConvertAll(index =>
            new OffsetFetchResponsePartition { PartitionIndex = index, CommittedOffset = -1, ErrorCode = error }),
    };
}
