using OrleansLog.Broker.Metadata;
using OrleansLog.Coordination;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Kafka.Apis;

/// <summary>Consumer groups: finding the coordinator, and handing it what is its business.</summary>
internal sealed class GroupsApi(Broker.Broker broker)
{
    private const sbyte Group = 0;
    private const sbyte Transaction = 1;
    private const sbyte Share = 2;
    private const int FirstVersionWithMany = 4;

    public void Register(ApiDispatcher dispatcher)
    {
        dispatcher.Register<FindCoordinatorRequest, FindCoordinatorResponse>(FindCoordinatorAsync);
        Register<JoinGroupRequest, JoinGroupResponse>(dispatcher, broker.Groups.JoinGroupAsync);
        Register<SyncGroupRequest, SyncGroupResponse>(dispatcher, broker.Groups.SyncGroupAsync);
        Register<HeartbeatRequest, HeartbeatResponse>(dispatcher, broker.Groups.HeartbeatAsync);
        Register<LeaveGroupRequest, LeaveGroupResponse>(dispatcher, broker.Groups.LeaveGroupAsync);
        Register<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>(dispatcher, broker.Groups.ConsumerGroupHeartbeatAsync);
        Register<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>(dispatcher, broker.Groups.DescribeConsumerGroupsAsync);
        Register<OffsetCommitRequest, OffsetCommitResponse>(dispatcher, broker.Groups.OffsetCommitAsync);
        Register<OffsetFetchRequest, OffsetFetchResponse>(dispatcher, broker.Groups.OffsetFetchAsync);
        Register<OffsetDeleteRequest, OffsetDeleteResponse>(dispatcher, broker.Groups.OffsetDeleteAsync);
        Register<ListGroupsRequest, ListGroupsResponse>(dispatcher, broker.Groups.ListGroupsAsync);
        Register<DescribeGroupsRequest, DescribeGroupsResponse>(dispatcher, broker.Groups.DescribeGroupsAsync);
        Register<DeleteGroupsRequest, DeleteGroupsResponse>(dispatcher, broker.Groups.DeleteGroupsAsync);
    }

    private static void Register<TRequest, TResponse>(ApiDispatcher dispatcher, Func<CallContext, TRequest, Task<TResponse>> handle)
        where TRequest : class, IRequest<TResponse>, new()
        where TResponse : class, IResponse, new()
    {
        dispatcher.Register<TRequest, TResponse>((request, context) => new(handle(CallOf(context), request)));
    }

    public static CallContext CallOf(RequestContext context) =>
        new(context.Header.ClientId ?? "", $"/{context.Client.Address}", context.Version, context.Closed);

    private async ValueTask<FindCoordinatorResponse> FindCoordinatorAsync(FindCoordinatorRequest request, RequestContext context)
    {
        var wantsMany = context.Version >= FirstVersionWithMany;
        var keys = wantsMany ? request.CoordinatorKeys : [request.Key];
        var topic = request.KeyType switch
        {
            Group => (await broker.EnsureOffsetsTopicAsync(context.Closed)).Topic,
            Transaction => (await broker.EnsureTransactionTopicAsync(context.Closed)).Topic,
            Share => (await broker.EnsureShareStateTopicAsync(context.Closed)).Topic,
            _ => null,
        };
        var found = keys.ConvertAll(key => Find(key, request.KeyType, topic));
        return wantsMany ? new() { Coordinators = found } : ToSingle(found[0]);
    }

    private FindCoordinatorResponse.Coordinator Find(string key, sbyte keyType, TopicImage? offsets)
    {
        if (keyType is not (Group or Transaction or Share))
            return Refuse(key, ErrorCode.InvalidRequest, "This broker coordinates groups, transactions and the states of share groups.");
        if (keyType == Share && !SharePartitionKey.TryParse(key, out _))
            return Refuse(key, ErrorCode.InvalidRequest, "A share-partition is named GROUP:TOPIC-ID:PARTITION.");
        if (key.Length == 0)
            return keyType == Group
                ? Refuse(key, ErrorCode.InvalidGroupId, "A group id must not be empty.")
                : Refuse(key, ErrorCode.InvalidRequest, "A transactional id must not be empty.");
        var partition = GroupCoordinator.PartitionFor(key, offsets?.Partitions.Length ?? 1);
        var leader = offsets?.Partitions[partition].Leader;
        return leader is { } id && broker.Cluster.FindBroker(id) is { } coordinator
            ? new() { Key = key, NodeId = coordinator.Id.Value, Host = coordinator.Host, Port = coordinator.Port }
            : Refuse(key, ErrorCode.CoordinatorNotAvailable, "The coordinator is not available; try again.");
    }

    private static FindCoordinatorResponse.Coordinator Refuse(string key, ErrorCode error, string message) =>
        new() { Key = key, NodeId = BrokerId.None.Value, Port = -1, ErrorCode = error, ErrorMessage = message };

    private static FindCoordinatorResponse ToSingle(FindCoordinatorResponse.Coordinator found) => new()
    {
        ErrorCode = found.ErrorCode,
        ErrorMessage = found.ErrorMessage,
        NodeId = found.NodeId,
        Host = found.Host,
        Port = found.Port,
    };
}
