using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

/// <summary>Elections and reassignments, as the admin client asks for them.</summary>
public sealed class ReplicaAdminTests : IAsyncDisposable
{
    private readonly FakeCluster _cluster = new(1, 2, 3);
    private readonly ManualClock _clock = new();
    private readonly OrleansLogClient _client;

    public ReplicaAdminTests() => _client = new OrleansLogClient(new ClientOptions(), _cluster, null, _clock);

    public async ValueTask DisposeAsync() => await _client.DisposeAsync();

    [Fact]
    public async Task An_election_is_asked_of_the_controller_and_answered_for_each_partition()
    {
        ElectLeadersRequest? asked = null;
        _cluster.Answer<ElectLeadersRequest, ElectLeadersResponse>((broker, request) =>
        {
            Assert.Equal(1, broker);
            asked = request;
            return Elected(("a", 0, ErrorCode.None), ("a", 1, ErrorCode.ElectionNotNeeded), ("b", 7, ErrorCode.EligibleLeadersNotAvailable));
        });
        var results = await _client.Admin.ElectLeadersAsync(ElectionType.Unclean, [new("a", 0), new("a", 1), new("b", 7)]);
        Assert.Equal(
            [(new("a", 0), ErrorCode.None), (new("a", 1), ErrorCode.ElectionNotNeeded), (new TopicPartition("b", 7), ErrorCode.EligibleLeadersNotAvailable)],
            results.Select(result => (result.Partition, result.Error)));
        Assert.Equal((1, "a:0,1 b:7"), (asked!.ElectionType, string.Join(' ', asked.Topics!.Select(t => $"{t.Topic}:{string.Join(',', t.Partitions)}"))));
    }

    [Fact]
    public async Task An_election_of_all_partitions_names_none()
    {
        ElectLeadersRequest? asked = null;
        _cluster.Answer<ElectLeadersRequest, ElectLeadersResponse>((_, request) =>
        {
            asked = request;
            return Elected();
        });
        Assert.Empty(await _client.Admin.ElectLeadersAsync(ElectionType.Preferred));
        Assert.Equal((0, null), ((int)asked!.ElectionType, asked.Topics));
    }

    [Fact]
    public async Task The_next_controller_is_asked_when_it_has_moved()
    {
        var answers = new Queue<ErrorCode>([ErrorCode.NotController, ErrorCode.None]);
        _cluster.Answer<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>((_, _) => new() { ErrorCode = answers.Dequeue() });
        var altering = _client.Admin.AlterPartitionReassignmentsAsync(new Dictionary<TopicPartition, IReadOnlyList<BrokerId>?> { [new("a", 0)] = null });
        await _clock.AdvanceUntilAsync(altering, stepMs: 100);
        await altering;
        Assert.Empty(answers);
    }

    [Fact]
    public async Task A_move_names_its_brokers_and_calling_it_off_names_none()
    {
        AlterPartitionReassignmentsRequest? asked = null;
        _cluster.Answer<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>((_, request) =>
        {
            asked = request;
            return new()
            {
                Responses =
                [
                    new()
                    {
                        Name = "a",
                        Partitions =
                        [
                            new() { PartitionIndex = 0 },
                            new() { PartitionIndex = 1, ErrorCode = ErrorCode.NoReassignmentInProgress, ErrorMessage = "it stands still" },
                        ],
                    },
                ],
            };
        });
        var results = await _client.Admin.AlterPartitionReassignmentsAsync(
            new Dictionary<TopicPartition, IReadOnlyList<BrokerId>?> { [new("a", 0)] = [new(3), new(1)], [new("a", 1)] = null },
            allowReplicationFactorChange: false);
        Assert.Equal([new(new("a", 0), ErrorCode.None, null), new PartitionResult(new("a", 1), ErrorCode.NoReassignmentInProgress, "it stands still")], results);
        Assert.Equal([3, 1], asked!.Topics[0].Partitions[0].Replicas);
        Assert.Null(asked.Topics[0].Partitions[1].Replicas);
        Assert.False(asked.AllowReplicationFactorChange);
    }

    [Fact]
    public async Task What_is_wrong_with_the_whole_request_is_thrown()
    {
        _cluster.Answer<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(
            (_, _) => new() { ErrorCode = ErrorCode.ClusterAuthorizationFailed, ErrorMessage = "not you" });
        var failure = await Assert.ThrowsAsync<OrleansLogException>(() =>
            _client.Admin.AlterPartitionReassignmentsAsync(new Dictionary<TopicPartition, IReadOnlyList<BrokerId>?> { [new("a", 0)] = null }));
        Assert.Equal(("Could not move partitions: not you.", ErrorCode.ClusterAuthorizationFailed), (failure.Message, failure.ErrorCode));
    }

    [Fact]
    public async Task Moves_under_way_are_listed_by_partition()
    {
        _cluster.Answer<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>((_, request) =>
        {
            Assert.Null(request.Topics);
            return new()
            {
                Topics =
                [
                    new() { Name = "b", Partitions = [new() { Replicas = [1, 2, 3], AddingReplicas = [3], RemovingReplicas = [1] }] },
                    new() { Name = "a", Partitions = [new() { PartitionIndex = 2, Replicas = [1], AddingReplicas = [1] }] },
                ],
            };
        });
        var moves = await _client.Admin.ListPartitionReassignmentsAsync();
        Assert.Equal(["a-2: 1 +1 -", "b-0: 1,2,3 +3 -1"], moves.Select(move =>
            $"{move.Partition}: {string.Join(',', move.Replicas)} +{string.Join(',', move.Adding)} -{string.Join(',', move.Removing)}"));
    }

    [Fact]
    public async Task A_broker_that_lives_is_not_forgotten()
    {
        _cluster.Answer<UnregisterBrokerRequest, UnregisterBrokerResponse>((_, request) =>
            new() { ErrorCode = request.BrokerId == 3 ? ErrorCode.None : ErrorCode.InvalidRequest, ErrorMessage = "it lives" });
        await _client.Admin.UnregisterBrokerAsync(new BrokerId(3));
        var failure = await Assert.ThrowsAsync<OrleansLogException>(() => _client.Admin.UnregisterBrokerAsync(new BrokerId(2)));
        Assert.Equal("Could not forget broker 2: it lives.", failure.Message);
    }

    [Fact]
    public async Task The_cluster_and_all_topics_are_described_by_one_request()
    {
        _cluster.CreateTopic("b", 2);
        _cluster.CreateTopic("a");
        var (cluster, topics) = await _client.Admin.DescribeClusterContentsAsync();
        Assert.Equal([1, 2, 3], cluster.Brokers.Select(broker => broker.Id.Value));
        Assert.Equal([("a", 1), ("b", 2)], topics.Select(topic => (topic.Name, topic.Partitions.Count)));
        Assert.Equal(1, _cluster.Count(ApiKey.Metadata));
    }

    private static ElectLeadersResponse Elected(params (string Topic, int Partition, ErrorCode Error)[] results) => new()
    {
        ReplicaElectionResults =
        [
            .. results.GroupBy(result => result.Topic).Select(topic => new ElectLeadersResponse.ReplicaElectionResult
            {
                Topic = topic.Key,
                PartitionResult = [.. topic.Select(result => new ElectLeadersResponse.PartitionResult { PartitionId = result.Partition, ErrorCode = result.Error })],
            }),
        ],
    };
}
