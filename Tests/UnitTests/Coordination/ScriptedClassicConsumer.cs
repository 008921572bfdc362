using System.Globalization;
using OrleansLog.Coordination;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.UnitTests.Coordination;

/// <summary>A consumer of the classic protocol, which says what it reads whenever it joins, and leads if it is told to.</summary>
public sealed class ScriptedClassicConsumer(GroupScript script, params string[] topics)
{
    private Task<JoinGroupResponse>? _joining;
    private Task<SyncGroupResponse>? _syncing;
    private List<TopicShape>? _assigned;
    private bool _hasGivenUp;

    public string Id { get; private set; } = "";
    public string? Instance { get; init; }
    public int Generation { get; private set; } = -1;

    /// <summary>Whether it gives everything up before it joins again.</summary>
    public bool IsEager { get; init; }

    public SortedSet<string> Owned { get; } = new(StringComparer.Ordinal);

    public string Reads => string.Join(' ', Owned);

    public async Task<ErrorCode> Join()
    {
        if (IsEager)
            Owned.Clear();
        var joined = await script.Coordinator.JoinGroupAsync(GroupScript.Context(9), Request());
        if (joined.ErrorCode == ErrorCode.MemberIdRequired)
        {
            Id = joined.MemberId;
            joined = await script.Coordinator.JoinGroupAsync(GroupScript.Context(9), Request());
        }
        if (joined.ErrorCode != ErrorCode.None)
            return joined.ErrorCode;
        (Id, Generation) = (joined.MemberId, joined.GenerationId);
        _assigned = joined.Leader == Id ? [.. Shapes()] : null;
        var synced = await script.Coordinator.SyncGroupAsync(GroupScript.Context(5), SyncRequest(joined));
        if (synced.ErrorCode == ErrorCode.None)
            Take(synced.Assignment);
        return synced.ErrorCode;
    }

    /// <summary>A heartbeat; a member that is to join again does so, as often as that brings something.</summary>
    public async Task<ErrorCode> Heartbeat()
    {
        var error = await HeartbeatOnly();
        for (var tries = 0; error == ErrorCode.RebalanceInProgress && tries < 4; tries++)
        {
            error = await Join();
            if (error == ErrorCode.None)
                error = await HeartbeatOnly();
        }
        return error;
    }

    /// <summary>
    /// Goes on from wherever the last answer left the member, as far as it gets without waiting: an answer that others
    /// hold up is looked for with the next step. Answers what the coordinator said last.
    /// </summary>
    public async Task<ErrorCode> StepAsync()
    {
        var error = _joining is null && _syncing is null && Generation >= 0 && !MustJoin ? await HeartbeatOnly() : ErrorCode.None;
        if (error is ErrorCode.RebalanceInProgress || (_joining is null && _syncing is null && (Generation < 0 || MustJoin)))
            BeginJoin();
        while (_joining is { IsCompleted: true } joining && error is ErrorCode.None or ErrorCode.RebalanceInProgress)
        {
            _joining = null;
            error = Joined(await joining);
        }
        if (_syncing is not { IsCompleted: true } syncing)
            return error;
        _syncing = null;
        var synced = await syncing;
        if (synced.ErrorCode == ErrorCode.None)
            Take(synced.Assignment);
        else
            Generation = -1;
        return synced.ErrorCode;
    }

    private bool MustJoin => _hasGivenUp || HasNewTopics;

    /// <summary>A leader looks after the topics that it has assigned.</summary>
    private bool HasNewTopics => _assigned is { } shapes && !shapes.SequenceEqual(Shapes());

    private IEnumerable<TopicShape> Shapes() => script.Topics.Names.Select(topic => script.Topics.Find(topic)!.Value);

    private void BeginJoin()
    {
        _hasGivenUp = false;
        if (IsEager)
            Owned.Clear();
        _joining = script.Coordinator.JoinGroupAsync(GroupScript.Context(9), Request());
    }

    private ErrorCode Joined(JoinGroupResponse joined)
    {
        if (joined.ErrorCode == ErrorCode.MemberIdRequired)
        {
            Id = joined.MemberId;
            BeginJoin();
            return ErrorCode.None;
        }
        if (joined.ErrorCode != ErrorCode.None)
        {
            Generation = -1;
            return joined.ErrorCode;
        }
        (Id, Generation) = (joined.MemberId, joined.GenerationId);
        _assigned = joined.Leader == Id ? [.. Shapes()] : null;
        _syncing = script.Coordinator.SyncGroupAsync(GroupScript.Context(5), SyncRequest(joined));
        return ErrorCode.None;
    }

    public async Task<ErrorCode> HeartbeatOnly() => (await script.Coordinator.HeartbeatAsync(GroupScript.Context(4), new HeartbeatRequest
    {
        GroupId = GroupScript.Group,
        MemberId = Id,
        GenerationId = Generation,
        GroupInstanceId = Instance,
    })).ErrorCode;

    public async Task<ErrorCode> Leave()
    {
        Owned.Clear();
        return (await script.Leave(Id, Instance)).Members[0].ErrorCode;
    }

    private JoinGroupRequest Request() => new()
    {
        GroupId = GroupScript.Group,
        MemberId = Id,
        GroupInstanceId = Instance,
        SessionTimeoutMs = GroupScript.SessionTimeoutMs,
        RebalanceTimeoutMs = GroupScript.RebalanceTimeoutMs,
        ProtocolType = ConsumerProtocol.Type,
        Protocols =
        [
            new()
            {
                Name = "cooperative-sticky",
                Metadata = ConsumerProtocol.Write(new ConsumerProtocolSubscription { Topics = [.. topics], OwnedPartitions = ByTopic(Owned), GenerationId = Generation }),
            },
        ],
    };

    private SyncGroupRequest SyncRequest(JoinGroupResponse joined) => new()
    {
        GroupId = GroupScript.Group,
        MemberId = Id,
        GroupInstanceId = Instance,
        GenerationId = Generation,
        ProtocolType = joined.ProtocolType,
        ProtocolName = joined.ProtocolName,
        Assignments = joined.Leader == Id ? Assign(joined) : [],
    };

    /// <summary>As a leader: in turn, in the order of the members; but for what another member reads yet, which waits for it to let go.</summary>
    private List<SyncGroupRequest.SyncGroupRequestAssignment> Assign(JoinGroupResponse joined)
    {
        var members = joined.Members.ToDictionary(member => member.MemberId, member => ConsumerProtocol.Read<ConsumerProtocolSubscription>(member.Metadata));
        var owners = members.SelectMany(member => member.Value.OwnedPartitions.SelectMany(topic => topic.Partitions.Select(index => ($"{topic.Topic}-{index}", member.Key))))
            .GroupBy(pair => pair.Item1, pair => pair.Key).ToDictionary(pair => pair.Key, pair => pair.First());
        var shares = members.ToDictionary(member => member.Key, _ => new List<string>());
        foreach (var topic in members.Values.SelectMany(member => member.Topics).Distinct())
        {
            var readers = members.Where(member => member.Value.Topics.Contains(topic)).Select(member => member.Key).ToList();
            for (var index = 0; index < (script.Topics.Find(topic)?.PartitionCount ?? 0); index++)
            {
                var (partition, reader) = ($"{topic}-{index}", readers[index % readers.Count]);
                if (owners.GetValueOrDefault(partition, reader) == reader)
                    shares[reader].Add(partition);
            }
        }
        return [.. shares.Select(share => new SyncGroupRequest.SyncGroupRequestAssignment
        {
            MemberId = share.Key,
            Assignment = ConsumerProtocol.Write(new ConsumerProtocolAssignment { AssignedPartitions = ByTopic(share.Value) }),
        })];
    }

    private static List<ConsumerProtocol.TopicPartitions> ByTopic(IEnumerable<string> partitions) =>
    [
        .. partitions.Select(name => name.Split('-')).GroupBy(parts => parts[0]).Select(topic => new ConsumerProtocol.TopicPartitions
        {
            Topic = topic.Key,
            Partitions = [.. topic.Select(parts => int.Parse(parts[1], CultureInfo.InvariantCulture))],
        }),
    ];

    /// <summary>A member that has given something up joins again at once, so that others get it.</summary>
    private void Take(ReadOnlyMemory<byte> assignment)
    {
        var former = Owned.ToList();
        Owned.Clear();
        foreach (var topic in assignment.IsEmpty ? [] : ConsumerProtocol.Read<ConsumerProtocolAssignment>(assignment).AssignedPartitions)
            Owned.UnionWith(topic.Partitions.Select(partition => $"{topic.Topic}-{partition}"));
        _hasGivenUp = !former.TrueForAll(Owned.Contains);
    }
}
