using System.Globalization;
using OrleansLog.Broker.Shares;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Kafka.Apis;

/// <summary>What ShareFetch and ShareAcknowledge have in common: who asks, within which session, and what it says about records.</summary>
internal sealed class ShareRequest
{
    public const int CloseEpoch = -1;

    private const int MemberIdLengthMax = 36;
    private const int GroupIdBytesMax = 8_192;

    public required ShareMemberId Member { get; init; }

    public required int SessionEpoch { get; init; }

    /// <summary>What is said about the records of each partition; nothing for those that are only named.</summary>
    public required IReadOnlyList<(SessionPartition Partition, List<ShareAcknowledgementBatch> Batches)> Partitions { get; init; }

    /// <summary>Whether renewals are among it, which the request has to announce.</summary>
    public required bool HasRenewals { get; init; }

    public bool Acknowledges => Partitions.Any(each => each.Batches.Count > 0);

    public static ShareRequest Of(ShareFetchRequest request) => new()
    {
        Member = new(request.GroupId ?? "", request.MemberId ?? ""),
        SessionEpoch = request.ShareSessionEpoch,
        HasRenewals = request.IsRenewAck,
        Partitions = [.. request.Topics.SelectMany(topic => topic.Partitions, (topic, part) => (new SessionPartition(topic.TopicId, part.PartitionIndex), part.AcknowledgementBatches))],
    };

    public static ShareRequest Of(ShareAcknowledgeRequest request) => new()
    {
        Member = new(request.GroupId ?? "", request.MemberId ?? ""),
        SessionEpoch = request.ShareSessionEpoch,
        HasRenewals = request.IsRenewAck,
        Partitions = [.. request.Topics.SelectMany(topic => topic.Partitions, (topic, part) => (new SessionPartition(topic.TopicId, part.PartitionIndex), part.AcknowledgementBatches))],
    };

    /// <summary>Why the request as a whole is refused, or null.</summary>
    public (ErrorCode Error, string Message)? Refuse()
    {
        if (Member.Group.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(Member.Group) > GroupIdBytesMax)
            return (ErrorCode.InvalidRequest, "The group id is empty or too long.");
        if (Member.Member.Length is 0 or > MemberIdLengthMax)
            return (ErrorCode.InvalidRequest, string.Create(CultureInfo.InvariantCulture, $"The member id must have from 1 to {MemberIdLengthMax} characters."));
        return SessionEpoch < CloseEpoch
            ? (ErrorCode.InvalidShareSessionEpoch, string.Create(CultureInfo.InvariantCulture, $"There is no session epoch {SessionEpoch}."))
            : null;
    }

    /// <summary>What is said about the records of one partition, or null where it makes no sense.</summary>
    public List<Acknowledgement>? Read(List<ShareAcknowledgementBatch> batches)
    {
        var read = new List<Acknowledgement>(batches.Count);
        var after = 0L;
        foreach (var batch in batches)
        {
            var count = batch.LastOffset - batch.FirstOffset + 1;
            if (batch.FirstOffset < after || count <= 0 || batch.LastOffset == long.MaxValue)
                return null;
            if (batch.AcknowledgeTypes.Count != 1 && batch.AcknowledgeTypes.Count != count)
                return null;
            var last = HasRenewals ? ShareAcknowledgeType.Renew : ShareAcknowledgeType.Reject;
            if (batch.AcknowledgeTypes.Exists(type => type < 0 || type > (sbyte)last))
                return null;
            read.Add(new(batch.FirstOffset, batch.LastOffset, batch.AcknowledgeTypes.ConvertAll(type => (ShareAcknowledgeType)type)));
            after = batch.LastOffset + 1;
        }
        return read;
    }
}

/// <summary>What is said about records, handed to those who keep them.</summary>
internal sealed class ShareAcknowledgements(Broker.Broker broker)
{
    /// <summary>Answers, for each partition about whose records something was said, when that is stored.</summary>
    public async Task<Dictionary<SessionPartition, ErrorCode>> TakeAsync(ShareRequest request, ShareSettings settings)
    {
        var said = request.Partitions.Where(each => each.Batches.Count > 0).ToLookup(each => each.Partition, each => each.Batches);
        var outcomes = await Task.WhenAll(said.Select(async each => (each.Key, Error: await TakeAsync(request, settings, each.Key, [.. each.SelectMany(batches => batches)]))));
        return outcomes.ToDictionary(outcome => outcome.Key, outcome => outcome.Error);
    }

    private async Task<ErrorCode> TakeAsync(ShareRequest request, ShareSettings settings, SessionPartition partition, List<ShareAcknowledgementBatch> batches)
    {
        if (request.Read(batches) is not { } acknowledgements)
            return ErrorCode.InvalidRequest;
        var (error, shared) = await broker.Sharing.OpenAsync(new(request.Member.Group, partition.TopicId, partition.Partition), settings);
        return shared is null ? WhyNot(partition, error) : await shared.State.AcknowledgeAsync(request.Member.Member, acknowledgements);
    }

    /// <summary>What to say of a partition that is not served: that it is led elsewhere, or that there is none.</summary>
    public ErrorCode WhyNot(SessionPartition partition, ErrorCode error) =>
        error == ErrorCode.NotLeaderOrFollower ? broker.WhyNotLed(partition.TopicId, partition.Partition) : error;

    /// <summary>Who leads a partition, as far as is known here, for members that asked the wrong broker.</summary>
    public ShareLeader FindLeader(SessionPartition partition, ErrorCode error) =>
        error == ErrorCode.NotLeaderOrFollower && broker.Cluster.FindTopic(partition.TopicId) is { } topic && (uint)partition.Partition < (uint)topic.Partitions.Length
            ? new() { LeaderId = topic.Partitions[partition.Partition].Leader.Value, LeaderEpoch = topic.Partitions[partition.Partition].LeaderEpoch.Value }
            : new();

    /// <summary>Where the leaders are.</summary>
    public List<ShareNodeEndpoint> Endpoints(IEnumerable<ShareLeader> leaders) =>
    [
        .. from id in leaders.Select(leader => leader.LeaderId).Distinct()
           let node = id < 0 ? null : broker.Cluster.FindBroker(new(id))
           where node is not null
           select new ShareNodeEndpoint { NodeId = id, Host = node.Host, Port = node.Port, Rack = node.Rack },
    ];
}
