using OrleansLog.Broker.Shares;
using OrleansLog.Coordination;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Kafka.Apis;

/// <summary>Share groups (KIP-932), but for fetching: members, offsets, acknowledgements, and the states that brokers keep for one another.</summary>
internal sealed class ShareGroupsApi(Broker.Broker broker)
{
    private readonly ShareAcknowledgements _acknowledgements = new(broker);

    public void Register(ApiDispatcher dispatcher)
    {
        Register<ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse>(dispatcher, broker.Groups.ShareGroupHeartbeatAsync);
        Register<ShareGroupDescribeRequest, ShareGroupDescribeResponse>(dispatcher, broker.Groups.DescribeShareGroupsAsync);
        Register<DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse>(dispatcher, broker.Groups.DescribeShareGroupOffsetsAsync);
        Register<AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse>(dispatcher, broker.Groups.AlterShareGroupOffsetsAsync);
        Register<DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse>(dispatcher, broker.Groups.DeleteShareGroupOffsetsAsync);
        dispatcher.Register<ShareAcknowledgeRequest, ShareAcknowledgeResponse>(AcknowledgeAsync);
        dispatcher.Register<InitializeShareGroupStateRequest, InitializeShareGroupStateResponse>((request, context) => new(broker.InitializeShareStateAsync(request, context.Closed)));
        dispatcher.Register<ReadShareGroupStateRequest, ReadShareGroupStateResponse>((request, context) => new(broker.ReadShareStateAsync(request, context.Closed)));
        dispatcher.Register<WriteShareGroupStateRequest, WriteShareGroupStateResponse>((request, context) => new(broker.WriteShareStateAsync(request, context.Closed)));
        dispatcher.Register<DeleteShareGroupStateRequest, DeleteShareGroupStateResponse>((request, context) => new(broker.DeleteShareStateAsync(request, context.Closed)));
        dispatcher.Register<ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse>((request, context) => new(broker.SummarizeShareStateAsync(request, context.Closed)));
    }

    private static void Register<TRequest, TResponse>(ApiDispatcher dispatcher, Func<CallContext, TRequest, Task<TResponse>> handle)
        where TRequest : class, IRequest<TResponse>, new()
        where TResponse : class, IResponse, new()
    {
        dispatcher.Register<TRequest, TResponse>((request, context) => new(handle(GroupsApi.CallOf(context), request)));
    }

    private async ValueTask<ShareAcknowledgeResponse> AcknowledgeAsync(ShareAcknowledgeRequest request, RequestContext context)
    {
        var asked = ShareRequest.Of(request);
        if (asked.Refuse() is { } refused)
            return new() { ErrorCode = refused.Error, ErrorMessage = refused.Message };
        ShareSettings settings;
        try
        {
            settings = await broker.Sharing.FindSettingsAsync(asked.Member.Group, context.Closed);
        }
        catch (IOException)
        {
            return new() { ErrorCode = ErrorCode.CoordinatorNotAvailable, ErrorMessage = "The configuration of the group cannot be read." };
        }
        var error = EnterSession(asked, out var session);
        if (error != ErrorCode.None)
            return new() { ErrorCode = error };
        var outcomes = await _acknowledgements.TakeAsync(asked, settings);
        if (asked.SessionEpoch == ShareRequest.CloseEpoch)
            broker.Sharing.Sessions.End(session!);
        return Describe(outcomes, settings);
    }

    private ErrorCode EnterSession(ShareRequest asked, out ShareSession? session)
    {
        session = broker.Sharing.Sessions.Find(asked.Member);
        return asked.SessionEpoch switch
        {
            0 => ErrorCode.InvalidShareSessionEpoch,
            ShareRequest.CloseEpoch => session is null ? ErrorCode.ShareSessionNotFound : ErrorCode.None,
            var epoch => broker.Sharing.Sessions.Continue(asked.Member, epoch, [], [], out session),
        };
    }

    private ShareAcknowledgeResponse Describe(Dictionary<SessionPartition, ErrorCode> outcomes, ShareSettings settings)
    {
        var response = new ShareAcknowledgeResponse { AcquisitionLockTimeoutMs = settings.RecordLockDurationMs };
        foreach (var topic in outcomes.GroupBy(outcome => outcome.Key.TopicId))
        {
            response.Responses.Add(new()
            {
                TopicId = topic.Key,
                Partitions = [.. topic.Select(outcome => new ShareAcknowledgeResponse.PartitionData
                {
                    PartitionIndex = outcome.Key.Partition,
                    ErrorCode = outcome.Value,
                    CurrentLeader = _acknowledgements.FindLeader(outcome.Key, outcome.Value),
                })],
            });
        }
        response.NodeEndpoints = _acknowledgements.Endpoints(response.Responses.SelectMany(topic => topic.Partitions).Select(part => part.CurrentLeader));
        return response;
    }
}
