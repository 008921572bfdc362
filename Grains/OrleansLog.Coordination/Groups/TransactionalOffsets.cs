using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Records;
using static OrleansLog.Protocol.Messages.TxnOffsetCommitRequest;
using static OrleansLog.Protocol.Messages.TxnOffsetCommitResponse;

namespace OrleansLog.Coordination.Groups;

/// <summary>Offsets that groups commit in transactions: they count when the transaction does (KIP-98, KIP-447).</summary>
internal sealed class TransactionalOffsets(GroupOptions options, GroupStore store, ITopicDirectory topics)
{
    /// <summary>Stores offsets until the transaction ends.</summary>
    /// <param name="request">The offsets.</param>
    /// <param name="verified">As in <see cref="TransactionWrite.Verified"/>.</param>
    /// <param name="nowMs">The time.</param>
    public CoordinatorResult<TxnOffsetCommitResponse> Commit(TxnOffsetCommitRequest request, CoordinatorsWord? verified, long nowMs)
    {
        var result = new CoordinatorResult<TxnOffsetCommitResponse>(nowMs)
        {
            Transaction = new(request.ProducerId, request.ProducerEpoch) { Verified = verified },
        };
        var error = Validate(request);
        return result.With(error != ErrorCode.None
            ? OffsetAnswers.Refuse(request, error)
            : new() { Topics = request.Topics.ConvertAll(topic => Commit(result, request, topic)) });
    }

    /// <summary>The transaction has ended: what it brought counts, or is dropped.</summary>
    public static CoordinatorResult<GroupCoordinator.Ended> End(EndTransactionMarker marker, bool hasNewEpoch, long nowMs)
    {
        var result = new CoordinatorResult<GroupCoordinator.Ended>(nowMs)
        {
            Transaction = new(marker.ProducerId, marker.ProducerEpoch) { Marker = marker, MarkerHasNewEpoch = hasNewEpoch },
        };
        result.Append(new TransactionEndRecord(marker.ProducerId, marker.IsCommit));
        return result.With(new(ErrorCode.None));
    }

    // A producer that says nothing of a member commits for a consumer that is none (KIP-447).
    private ErrorCode Validate(TxnOffsetCommitRequest request)
    {
        if (request.GenerationId < 0 && request.MemberId.Length == 0 && request.GroupInstanceId is null)
            return ErrorCode.None;
        var error = store.Find(request.GroupId)?.ValidateCommit(request.MemberId, request.GroupInstanceId, request.GenerationId) ?? ErrorCode.IllegalGeneration;
        return error == ErrorCode.StaleMemberEpoch ? ErrorCode.IllegalGeneration : error;
    }

    private TxnOffsetCommitResponseTopic Commit(CoordinatorResult result, TxnOffsetCommitRequest request, TxnOffsetCommitRequestTopic topic) => new()
    {
        Name = topic.Name,
        Partitions = topic.Partitions.ConvertAll(partition => new TxnOffsetCommitResponsePartition
        {
            PartitionIndex = partition.PartitionIndex,
            ErrorCode = Commit(result, request, topic.Name, partition),
        }),
    };

    private ErrorCode Commit(CoordinatorResult result, TxnOffsetCommitRequest request, string topic, TxnOffsetCommitRequestPartition partition)
    {
        if (partition.CommittedMetadata?.Length > options.OffsetMetadataMaxLength)
            return ErrorCode.OffsetMetadataTooLarge;
        if (!topics.Contains(topic, partition.PartitionIndex))
            return ErrorCode.UnknownTopicOrPartition;
        var committed = new CommittedOffset(
            new Offset(partition.CommittedOffset), new LeaderEpoch(partition.CommittedLeaderEpoch), partition.CommittedMetadata ?? "", result.NowMs, null);
        result.Append(new PendingOffsetRecord(
            request.ProducerId, new OffsetCommitRecord(request.GroupId, new TopicPartition(topic, partition.PartitionIndex), committed)));
        return ErrorCode.None;
    }
}
