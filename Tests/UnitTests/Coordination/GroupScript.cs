using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Coordination;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Coordination;

/// <summary>
/// A coordinator with one partition, and short words for what clients do. Everything runs on the test's thread: a
/// call has been decided when it returns, and its task is complete unless the answer is parked.
/// </summary>
public sealed class GroupScript : ITopicDirectory
{
    public const string Group = "shop";
    public const int SessionTimeoutMs = 10_000;
    public const int RebalanceTimeoutMs = 60_000;

    private int _ids;

    public GroupScript(Func<GroupOptions, GroupOptions>? configure = null, MemoryPartition? partition = null, ManualClock? clock = null)
    {
        Clock = clock ?? new ManualClock();
        var options = new GroupOptions { PartitionCount = 1, InitialRebalanceDelayMs = 0 };
        Options = configure?.Invoke(options) ?? options;
        Partition = partition ?? new MemoryPartition();
        Coordinator = NewCoordinator();
    }

    public GroupOptions Options { get; }
    public ManualClock Clock { get; }
    public MemoryPartition Partition { get; }
    public GroupCoordinator Coordinator { get; private set; }
    public HashSet<string> UnknownTopics { get; } = ["nowhere"];

    public static async Task<GroupScript> StartAsync(Func<GroupOptions, GroupOptions>? configure = null, MemoryPartition? partition = null)
    {
        var script = new GroupScript(configure, partition);
        await script.ElectAsync();
        return script;
    }

    public Task ElectAsync(int epoch = 0) => Coordinator.ElectAsync(0, new LeaderEpoch(epoch), Partition, Partition);

    /// <summary>The same log under a coordinator that knows nothing else.</summary>
    public async Task FailOverAsync()
    {
        await Coordinator.CloseAsync();
        Coordinator = NewCoordinator();
        await ElectAsync();
    }

    /// <summary>The topics that consumer groups can subscribe to; offsets are committed for any that is not unknown.</summary>
    public FakeTopics Topics { get; } = new();

    public object Edition => Topics.Edition;
    public IEnumerable<string> Names => Topics.Names;
    public bool Contains(string topic, int partition) => !UnknownTopics.Contains(topic);
    public TopicShape? Find(string topic) => Topics.Find(topic);
    public string? NameOf(Guid topicId) => Topics.NameOf(topicId);

    public static CallContext Context(short version, string clientId = "app") => new(clientId, "/127.0.0.1", version);

    public Task<JoinGroupResponse> Join(
        string memberId = "", string? instanceId = null, string metadata = "m", short version = 9, string group = Group,
        string[]? protocols = null, int sessionTimeoutMs = SessionTimeoutMs, string type = "consumer") =>
        Coordinator.JoinGroupAsync(Context(version), new JoinGroupRequest
        {
            GroupId = group,
            MemberId = memberId,
            GroupInstanceId = instanceId,
            SessionTimeoutMs = sessionTimeoutMs,
            RebalanceTimeoutMs = RebalanceTimeoutMs,
            ProtocolType = type,
            Protocols = (protocols ?? ["range"]).Select(name => new JoinGroupRequest.JoinGroupRequestProtocol
            {
                Name = name,
                Metadata = Bytes(metadata),
            }).ToList(),
        });

    /// <summary>Joins as a new dynamic member does: is given an id, and comes back with it.</summary>
    public async Task<Task<JoinGroupResponse>> JoinNew(string group = Group, string metadata = "m")
    {
        var first = await Join(group: group, metadata: metadata);
        Assert.Equal(ErrorCode.MemberIdRequired, first.ErrorCode);
        return Join(first.MemberId, group: group, metadata: metadata);
    }

    public Task<SyncGroupResponse> Sync(
        JoinGroupResponse joined, Dictionary<string, string>? assignments = null, string? instanceId = null, string group = Group) =>
        Coordinator.SyncGroupAsync(Context(5), new SyncGroupRequest
        {
            GroupId = group,
            MemberId = joined.MemberId,
            GroupInstanceId = instanceId,
            GenerationId = joined.GenerationId,
            ProtocolType = joined.ProtocolType,
            ProtocolName = joined.ProtocolName,
            Assignments = (assignments ?? []).Select(entry => new SyncGroupRequest.SyncGroupRequestAssignment
            {
                MemberId = entry.Key,
                Assignment = Bytes(entry.Value),
            }).ToList(),
        });

    /// <summary>One member alone in a stable group.</summary>
    public async Task<JoinGroupResponse> JoinAlone(string assignment = "all", string? instanceId = null, string group = Group, string metadata = "m")
    {
        var joined = instanceId is null
            ? await await JoinNew(group, metadata)
            : await Join(instanceId: instanceId, group: group, metadata: metadata);
        Assert.Equal(ErrorCode.None, joined.ErrorCode);
        var synced = await Sync(joined, new() { [joined.MemberId] = assignment }, instanceId, group);
        Assert.Equal(ErrorCode.None, synced.ErrorCode);
        return joined;
    }

    /// <summary>Two members in a stable group; the leader first.</summary>
    public async Task<(JoinGroupResponse Leader, JoinGroupResponse Follower)> JoinTwo()
    {
        var first = await JoinAlone();
        var second = await JoinNew();
        var (leader, follower) = (await Join(first.MemberId), await second);
        var leading = Sync(leader, new() { [leader.MemberId] = "0", [follower.MemberId] = "1" });
        Assert.Equal("1", Text((await Sync(follower)).Assignment));
        Assert.Equal("0", Text((await leading).Assignment));
        return (leader, follower);
    }

    public async Task<ErrorCode> Heartbeat(JoinGroupResponse joined, string? instanceId = null, string group = Group) =>
        (await Coordinator.HeartbeatAsync(Context(4), new HeartbeatRequest
        {
            GroupId = group,
            MemberId = joined.MemberId,
            GenerationId = joined.GenerationId,
            GroupInstanceId = instanceId,
        })).ErrorCode;

    public Task<LeaveGroupResponse> Leave(string memberId, string? instanceId = null, string group = Group) =>
        Coordinator.LeaveGroupAsync(Context(5), new LeaveGroupRequest
        {
            GroupId = group,
            Members = [new() { MemberId = memberId, GroupInstanceId = instanceId }],
        });

    public Task<OffsetCommitResponse> Commit(
        long offset, string memberId = "", int generation = -1, string topic = "orders", int partition = 0,
        string metadata = "", string group = Group, string? instanceId = null, short version = 9, long retentionMs = -1) =>
        Coordinator.OffsetCommitAsync(Context(version), new OffsetCommitRequest
        {
            GroupId = group,
            MemberId = memberId,
            GroupInstanceId = instanceId,
            GenerationIdOrMemberEpoch = generation,
            RetentionTimeMs = retentionMs,
            Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = partition, CommittedOffset = offset, CommittedMetadata = metadata }] }],
        });

    public static async Task<ErrorCode> CommitError(Task<OffsetCommitResponse> commit) => (await commit).Topics[0].Partitions[0].ErrorCode;

    /// <summary>All offsets of the group, as <c>topic-partition=offset</c>.</summary>
    public async Task<string> Offsets(string group = Group)
    {
        var response = await Coordinator.OffsetFetchAsync(Context(9), new OffsetFetchRequest { Groups = [new() { GroupId = group, Topics = null }] });
        Assert.Equal(ErrorCode.None, response.Groups[0].ErrorCode);
        return string.Join(' ', response.Groups[0].Topics
            .SelectMany(topic => topic.Partitions.Select(partition => string.Create(
                CultureInfo.InvariantCulture, $"{topic.Name}-{partition.PartitionIndex}={partition.CommittedOffset}")))
            .Order(StringComparer.Ordinal));
    }

    public async Task<DescribeGroupsResponse.DescribedGroup> Describe(string group = Group, short version = 5) =>
        (await Coordinator.DescribeGroupsAsync(Context(version), new DescribeGroupsRequest { Groups = [group] })).Groups[0];

    public async Task<string> State(string group = Group) => (await Describe(group)).GroupState;

    public async Task<ErrorCode> Delete(string group = Group) =>
        (await Coordinator.DeleteGroupsAsync(Context(2), new DeleteGroupsRequest { GroupsNames = [group] })).Results[0].ErrorCode;

    public static ReadOnlyMemory<byte> Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    public static string Text(ReadOnlyMemory<byte> bytes) => System.Text.Encoding.UTF8.GetString(bytes.Span);

    /// <summary>What a consumer sends as its subscription.</summary>
    public static string Subscription(params string[] topics) =>
        "\0\0" + Int32(topics.Length) + string.Concat(topics.Select(topic => $"\0{(char)topic.Length}{topic}")) + "\0\0\0\0";

    private static string Int32(int value) => $"\0\0\0{(char)value}";

    private GroupCoordinator NewCoordinator() =>
        new(Options, new GroupPorts(Clock, this, () => new Guid(Interlocked.Increment(ref _ids), 0, 0, new byte[8]), NullLogger.Instance) { TimingsOf = Timings.GetValueOrDefault });

    /// <summary>What groups have set of their own.</summary>
    public Dictionary<string, GroupTimings?> Timings { get; } = [];
}
