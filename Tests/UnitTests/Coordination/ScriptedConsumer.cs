using OrleansLog.Coordination;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.UnitTests.Coordination;

/// <summary>
/// A member of a consumer group as a client library plays it: it reads what it is given once it has let go of what it
/// is not given any more, and says so with its next heartbeat.
/// </summary>
public sealed class ScriptedConsumer(GroupScript script, string id, params string[] topics)
{
    public string Id => id;
    public string? Instance { get; init; }
    public string? Pattern { get; set; }
    public string? Assignor { get; set; }
    public string[] Topics { get; set; } = topics;
    public string Group { get; init; } = GroupScript.Group;
    public int Epoch { get; private set; }
    public int RebalanceTimeoutMs { get; init; } = 30_000;

    /// <summary>What the member reads, as <c>topic-partition</c>.</summary>
    public SortedSet<string> Owned { get; } = new(StringComparer.Ordinal);

    public string Reads => string.Join(' ', Owned);

    /// <summary>Joins, or joins again, owning nothing.</summary>
    public async Task<ErrorCode> Join()
    {
        Owned.Clear();
        return await Send(new ConsumerGroupHeartbeatRequest
        {
            RebalanceTimeoutMs = RebalanceTimeoutMs,
            SubscribedTopicNames = Pattern is null ? [.. Topics] : null,
            SubscribedTopicRegex = Pattern,
            ServerAssignor = Assignor,
            TopicPartitions = [],
        });
    }

    /// <summary>A heartbeat that says what the member owns.</summary>
    public Task<ErrorCode> Heartbeat() => Send(new ConsumerGroupHeartbeatRequest { MemberEpoch = Epoch, TopicPartitions = OwnedIds() });

    /// <summary>A heartbeat of a member of which nothing has changed.</summary>
    public Task<ErrorCode> HeartbeatOnly() => Send(new ConsumerGroupHeartbeatRequest { MemberEpoch = Epoch });

    public Task<ErrorCode> Resubscribe(params string[] names)
    {
        Topics = names;
        return Send(new ConsumerGroupHeartbeatRequest { MemberEpoch = Epoch, SubscribedTopicNames = [.. names] });
    }

    public async Task<ErrorCode> Leave(int epoch = ConsumerGroupHeartbeatRequest.LeaveEpoch)
    {
        Owned.Clear();
        return (await SendRaw(new ConsumerGroupHeartbeatRequest { MemberEpoch = epoch })).ErrorCode;
    }

    public Task<ConsumerGroupHeartbeatResponse> SendRaw(ConsumerGroupHeartbeatRequest request, short version = 1)
    {
        (request.GroupId, request.MemberId, request.InstanceId) = (Group, id, Instance);
        return script.Coordinator.ConsumerGroupHeartbeatAsync(GroupScript.Context(version), request);
    }

    public List<ConsumerGroupHeartbeat.TopicPartitions> OwnedIds() =>
    [
        .. Owned.Select(name => name.Split('-')).Where(parts => script.Topics.Find(parts[0]) is not null).GroupBy(parts => parts[0]).Select(topic => new ConsumerGroupHeartbeat.TopicPartitions
        {
            TopicId = script.Topics.Find(topic.Key)!.Value.Id,
            Partitions = [.. topic.Select(parts => int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture))],
        }),
    ];

    private async Task<ErrorCode> Send(ConsumerGroupHeartbeatRequest request)
    {
        var response = await SendRaw(request);
        if (response.ErrorCode is ErrorCode.FencedMemberEpoch or ErrorCode.UnknownMemberId)
            (Epoch, _) = (0, Clear());
        if (response.ErrorCode != ErrorCode.None)
            return response.ErrorCode;
        Epoch = response.MemberEpoch;
        if (response.Assignment is { } assignment)
            Take(assignment);
        return ErrorCode.None;
    }

    private bool Clear()
    {
        Owned.Clear();
        return true;
    }

    private void Take(ConsumerGroupHeartbeat.Assignment assignment)
    {
        Owned.Clear();
        foreach (var topic in assignment.TopicPartitions)
            Owned.UnionWith(topic.Partitions.Select(partition => $"{script.Topics.NameOf(topic.TopicId)}-{partition}"));
    }
}
