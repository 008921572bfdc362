using System.Diagnostics;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Shares;

/// <summary>One member of a share group over the wire, each request in one line.</summary>
internal sealed class ShareScript(TestClient coordinator, string group, string member, Guid topicId)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private TestClient? _leader;
    private int _sessionEpoch;

    public string Member => member;

    /// <summary>The broker that the member fetches from; the one that it sends heartbeats to unless said otherwise.</summary>
    public TestClient Leader => _leader ?? coordinator;

    public int MemberEpoch { get; set; }

    public List<int> Partitions { get; private set; } = [];

    /// <summary>Joins, and sends heartbeats until it may read so many partitions.</summary>
    public static async Task<ShareScript> JoinAsync(TestClient client, string group, string topic, int partitions = 1, string member = "m1")
    {
        var metadata = await client.CallAsync(new MetadataRequest { Topics = [new() { Name = topic }] });
        var script = new ShareScript(client, group, member, metadata.Topics[0].TopicId);
        await client.CallAsync(new FindCoordinatorRequest { CoordinatorKeys = [group] });
        for (var patience = Stopwatch.StartNew(); script.Partitions.Count < partitions; await Task.Yield())
        {
            Assert.True(patience.Elapsed < Patience, $"{member} was given {script.Partitions.Count} partitions");
            var answer = await script.HeartbeatAsync(topic);
            if (answer.ErrorCode is ErrorCode.CoordinatorLoadInProgress or ErrorCode.NotCoordinator or ErrorCode.CoordinatorNotAvailable)
                continue;
            Assert.Equal(ErrorCode.None, answer.ErrorCode);
        }
        return script;
    }

    public async Task<ShareGroupHeartbeatResponse> HeartbeatAsync(params string[] topics)
    {
        var answer = await coordinator.CallAsync(new ShareGroupHeartbeatRequest
        {
            GroupId = group,
            MemberId = member,
            MemberEpoch = MemberEpoch,
            SubscribedTopicNames = topics.Length == 0 ? null : [.. topics],
        });
        if (answer.ErrorCode == ErrorCode.None)
            MemberEpoch = answer.MemberEpoch;
        if (answer.Assignment is { } assignment)
            Partitions = [.. assignment.TopicPartitions.SelectMany(topic => topic.Partitions)];
        return answer;
    }

    /// <summary>Fetches, beginning a session with the first call.</summary>
    public async Task<ShareFetchResponse> FetchRawAsync(
        int maxRecords = 500, int maxWaitMs = 0, bool isStrict = false, int? epoch = null, params ShareAcknowledgementBatch[] acknowledgements)
    {
        var answer = await Leader.CallAsync(new ShareFetchRequest
        {
            GroupId = group,
            MemberId = member,
            ShareSessionEpoch = epoch ?? _sessionEpoch,
            MaxWaitMs = maxWaitMs,
            MinBytes = 1,
            MaxBytes = 1 << 20,
            MaxRecords = maxRecords,
            ShareAcquireMode = (sbyte)(isStrict ? 1 : 0),
            Topics = [new() { TopicId = topicId, Partitions = [.. Partitions.Select(index => new ShareFetchRequest.FetchPartition { PartitionIndex = index, AcknowledgementBatches = [.. acknowledgements] })] }],
        });
        if (answer.ErrorCode == ErrorCode.None && epoch is null)
            _sessionEpoch++;
        return answer;
    }

    /// <summary>What was acquired of the one partition: <c>first-last*deliveries</c>.</summary>
    public async Task<string> FetchAsync(int maxRecords = 500, int maxWaitMs = 0, bool isStrict = false, params ShareAcknowledgementBatch[] acknowledgements) =>
        Describe(await FetchRawAsync(maxRecords, maxWaitMs, isStrict, null, acknowledgements));

    public static string Describe(ShareFetchResponse answer)
    {
        Assert.Equal(ErrorCode.None, answer.ErrorCode);
        var parts = answer.Responses.SelectMany(topic => topic.Partitions).ToList();
        Assert.All(parts, part => Assert.Equal((ErrorCode.None, ErrorCode.None), (part.ErrorCode, part.AcknowledgeErrorCode)));
        return string.Join(' ', parts.SelectMany(part => part.AcquiredRecords).Select(range => $"{range.FirstOffset}-{range.LastOffset}*{range.DeliveryCount}"));
    }

    public static ShareAcknowledgementBatch Range(long first, long last, params ShareAcknowledgeType[] types) =>
        new() { FirstOffset = first, LastOffset = last, AcknowledgeTypes = [.. types.Select(type => (sbyte)type)] };

    public async Task<ErrorCode> AcknowledgeAsync(long first, long last, params ShareAcknowledgeType[] types)
    {
        var answer = await AcknowledgeRawAsync(types.Contains(ShareAcknowledgeType.Renew), null, Range(first, last, types));
        return answer.ErrorCode != ErrorCode.None ? answer.ErrorCode : answer.Responses[0].Partitions[0].ErrorCode;
    }

    public async Task<ShareAcknowledgeResponse> AcknowledgeRawAsync(bool isRenewal, int? epoch, params ShareAcknowledgementBatch[] batches)
    {
        var answer = await Leader.CallAsync(new ShareAcknowledgeRequest
        {
            GroupId = group,
            MemberId = member,
            ShareSessionEpoch = epoch ?? _sessionEpoch,
            IsRenewAck = isRenewal,
            Topics = [new() { TopicId = topicId, Partitions = [new() { PartitionIndex = Partitions[0], AcknowledgementBatches = [.. batches] }] }],
        });
        if (answer.ErrorCode == ErrorCode.None && epoch is null)
            _sessionEpoch++;
        return answer;
    }

    /// <summary>Ends the session; the next fetch begins another.</summary>
    public async Task CloseSessionAsync()
    {
        Assert.Equal(ErrorCode.None, (await FetchRawAsync(epoch: -1)).ErrorCode);
        _sessionEpoch = 0;
    }

    /// <summary>Begins a session at another broker.</summary>
    public void MoveTo(TestClient leader) => (_leader, _sessionEpoch) = (leader, 0);
}
