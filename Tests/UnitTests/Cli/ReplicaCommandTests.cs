using OrleansLog.Cli;
using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;
using OrleansLog.UnitTests.Client;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Cli;

/// <summary>
/// Commands that elect leaders and move partitions, against a cluster of three brokers (and a fourth that holds nothing)
/// whose moves take as many looks as a test says.
/// </summary>
public sealed class ReplicaCommandTests : IAsyncDisposable
{
    private const int BytesOfReplica = 4_000_000;

    private readonly FakeCluster _cluster = new(1, 2, 3, 4);
    private readonly ManualClock _clock = new();
    private readonly SortedDictionary<string, Move> _moves = new(StringComparer.Ordinal);
    private readonly List<string> _asked = [];

    public ReplicaCommandTests()
    {
        _cluster.Answer<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>((_, request) => Alter(request));
        _cluster.Answer<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>((_, request) => List(request));
        _cluster.Answer<DescribeLogDirsRequest, DescribeLogDirsResponse>((broker, _) => Directories(broker));
        Create("orders", [1, 2], [2, 3], [3, 1]);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private int LooksPerMove { get; set; } = 2;

    [Fact]
    public async Task A_move_begins_and_the_command_ends()
    {
        var run = await Succeed("topics reassign orders:1 --brokers 4,2");
        Assert.Equal("1 partition began to move; 'olog topics reassignments' shows how far they are.", run.Text.Trim());
        Assert.Equal(["orders-1 4,2"], _asked);
    }

    [Fact]
    public async Task The_partitions_of_a_whole_topic_prefer_different_leaders()
    {
        await Succeed("topics reassign orders --brokers 1,2,3");
        Assert.Equal(["orders-0 1,2,3", "orders-1 2,3,1", "orders-2 3,1,2"], _asked);
    }

    [Fact]
    public async Task A_move_can_be_watched_to_its_end()
    {
        var run = await Succeed("topics reassign orders:0 --brokers 4,2 --wait");
        Assert.Contains("olog: 1 partition of 1 left to move, 0 B of 4.0 MB copied", run.Error, StringComparison.Ordinal);
        Assert.Contains("olog: 1 partition of 1 left to move, 2.0 MB of 4.0 MB copied", run.Error, StringComparison.Ordinal);
        Assert.Equal("Moved 1 partition.", run.Text.Trim());
        Assert.Equal([4, 2], ReplicasOf("orders", 0));
    }

    [Fact]
    public async Task Moves_under_way_are_shown_and_can_be_called_off()
    {
        Assert.Equal("No partition is being moved.", (await Succeed("topics reassignments")).Text.Trim());
        await Succeed("topics reassign orders:0 --brokers 4,2");
        var shown = (await Succeed("topics reassignments")).Text.TrimEnd().Split('\n')[^1];
        Assert.Equal(["orders-0", "4,2,1", "4", "1", "0", "B", "4.0", "MB"], shown.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        Assert.Equal("Called off 1 move.", (await Succeed("topics reassign orders --cancel")).Text.Trim());
        Assert.Equal("orders-0 -", _asked[^1]);
        Assert.Equal("Nothing of it is being moved.", (await Succeed("topics reassign orders --cancel")).Text.Trim());
    }

    [Fact]
    public async Task A_move_that_the_cluster_refuses_fails_the_command()
    {
        var run = await Run("topics reassign orders:0 --brokers 9 --wait");
        Assert.Equal(ExitCode.Failure, run.ExitCode);
        Assert.Equal("olog: could not move orders-0: there is no broker 9.", run.Error.Trim());
    }

    [Fact]
    public async Task Decommissioning_moves_every_replica_elsewhere_and_balances_them()
    {
        var run = await Succeed("brokers decommission 1 --wait");
        Assert.Equal(["orders-0 4,2", "orders-2 3,4"], _asked);
        Assert.Equal("Moved 2 replicas off broker 1; it holds nothing any more.", run.Text.Trim());
        Assert.Contains("2 partitions of 2 left to move", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Decommissioning_goes_on_until_what_was_created_meanwhile_has_moved_too()
    {
        var hasGrown = false;
        OnMoveEnded = () =>
        {
            if (!hasGrown) Create("late", [1, 3]);
            hasGrown = true;
        };
        var run = await Succeed("brokers decommission 1 --wait");
        Assert.Equal(["late-0", "orders-0", "orders-2"], _asked.Select(move => move.Split(' ')[0]).Order(StringComparer.Ordinal));
        Assert.Equal("Moved 3 replicas off broker 1; it holds nothing any more.", run.Text.Trim());
    }

    [Fact]
    public async Task Decommissioning_prefers_a_rack_that_the_partition_does_not_use()
    {
        (_cluster.Racks[1], _cluster.Racks[2], _cluster.Racks[3], _cluster.Racks[4]) = ("a", "b", "c", "b");
        await Succeed("brokers decommission 1");
        Assert.Equal(["orders-0 3,2", "orders-2 3,4"], _asked);
    }

    [Fact]
    public async Task A_broker_whose_replicas_have_nowhere_to_go_keeps_them()
    {
        _cluster.Brokers = [1, 2];
        Create("pair", [1, 2]);
        var run = await Run("brokers decommission 1 --wait");
        Assert.Equal(ExitCode.Failure, run.ExitCode);
        Assert.StartsWith("olog: broker 1 cannot be emptied: orders-0 has 2 replicas, and no other living broker is free", run.Error, StringComparison.Ordinal);
        Assert.Empty(_asked);
    }

    [Theory]
    [InlineData("brokers decommission 4 --wait", ExitCode.Success, "Broker 4 holds nothing.")]
    [InlineData("brokers decommission 9", ExitCode.Failure, "olog: there is no broker 9, and no partition is on one; 'olog brokers' lists those that live.")]
    [InlineData("topics increase-replication orders --factor 2", ExitCode.Success, "Every partition of topic 'orders' has 2 replicas or more already.")]
    [InlineData("topics increase-replication orders --factor 5", ExitCode.Failure, "olog: 5 replicas need 5 living brokers; 'olog brokers' shows which live. Nothing was changed.")]
    public async Task What_needs_no_move_or_cannot_be_is_said(string line, int exitCode, string expected)
    {
        var run = await Run(line);
        Assert.Equal((exitCode, expected), (run.ExitCode, (run.Text + run.Error).Trim()));
        Assert.Empty(_asked);
    }

    [Fact]
    public async Task More_replicas_go_where_the_fewest_are()
    {
        var run = await Succeed("topics increase-replication orders --factor 3 --wait");
        Assert.Equal(["orders-0 1,2,4", "orders-1 2,3,4", "orders-2 3,1,2"], _asked);
        Assert.Equal("Moved 3 partitions.", run.Text.Trim());
    }

    [Fact]
    public async Task Elections_are_told_partition_by_partition()
    {
        ElectLeadersRequest? asked = null;
        _cluster.Answer<ElectLeadersRequest, ElectLeadersResponse>((_, request) =>
        {
            asked = request;
            ErrorCode[] errors = [ErrorCode.None, ErrorCode.ElectionNotNeeded, ErrorCode.PreferredLeaderNotAvailable];
            return new()
            {
                ReplicaElectionResults =
                [
                    new() { Topic = "orders", PartitionResult = [.. request.Topics![0].Partitions.Select(p => new ElectLeadersResponse.PartitionResult { PartitionId = p, ErrorCode = errors[p] })] },
                ],
            };
        });
        var run = await Run("topics elect orders orders:1");
        Assert.Equal(ExitCode.Failure, run.ExitCode);
        Assert.Equal(["Elected a leader of orders-0.", "orders-1 is led by its preferred replica already."], Lines(run.Text));
        Assert.Equal(["olog: could not elect a leader of orders-2: its preferred replica does not live or is not in sync."], Lines(run.Error));
        Assert.Equal((0, "0,1,2"), ((int)asked!.ElectionType, string.Join(',', asked.Topics![0].Partitions)));
        await Succeed("topics elect --unclean orders:0");
        Assert.Equal((1, "0"), ((int)asked.ElectionType, string.Join(',', asked.Topics![0].Partitions)));
    }

    [Fact]
    public async Task A_reader_that_says_where_it_stands_reads_there()
    {
        _cluster.Racks[2] = "south";
        _cluster.Append("orders", 0, "a");
        _cluster.Follow("orders", 0, broker: 2, endOffset: 1);
        Assert.Equal("a\n", (await Succeed("consume orders --partition 0 --from-beginning --exit-at-end --rack south")).RecordText);
        Assert.Equal(2, _cluster.RequestsSoFar().Last(request => request.Api == ApiKey.Fetch).Broker);
    }

    [Fact]
    public async Task Brokers_are_listed_by_one_metadata_request()
    {
        var rows = Lines((await Succeed("brokers")).Text);
        Assert.Equal(5, rows.Length);
        Assert.Equal(["2", "b2:9092", "-", "no", "1"], rows[2].Split(' ', StringSplitOptions.RemoveEmptyEntries)[..5]);
        Assert.Equal(1, _cluster.Count(ApiKey.Metadata));
    }

    private Action OnMoveEnded { get; set; } = () => { };

    private static string[] Lines(string text) => text.ReplaceLineEndings("\n").TrimEnd().Split('\n');

    private void Create(string topic, params int[][] replicas)
    {
        _cluster.CreateTopic(topic, replicas.Length);
        for (var i = 0; i < replicas.Length; i++) Place(topic, i, replicas[i]);
    }

    private void Place(string topic, int partition, IReadOnlyList<int> replicas)
    {
        _cluster.Elect(topic, partition, replicas[0]);
        _cluster.DropFollowers(topic, partition);
        foreach (var follower in replicas.Skip(1)) _cluster.Follow(topic, partition, follower, endOffset: 0);
    }

    private int[] ReplicasOf(string topic, int partition) =>
        [_cluster.Log(topic, partition).Leader, .. _cluster.Log(topic, partition).Followers.Keys];

    private AlterPartitionReassignmentsResponse Alter(AlterPartitionReassignmentsRequest request) => new()
    {
        Responses = [.. request.Topics.Select(topic => new AlterPartitionReassignmentsResponse.ReassignableTopicResponse
        {
            Name = topic.Name,
            Partitions = [.. topic.Partitions.Select(partition => Begin(topic.Name, partition.PartitionIndex, partition.Replicas))],
        })],
    };

    private AlterPartitionReassignmentsResponse.ReassignablePartitionResponse Begin(string topic, int partition, List<int>? target)
    {
        var answer = new AlterPartitionReassignmentsResponse.ReassignablePartitionResponse { PartitionIndex = partition };
        if (target?.Find(id => !_cluster.Brokers.Contains(id)) is > 0 and var unknown)
        {
            (answer.ErrorCode, answer.ErrorMessage) = (ErrorCode.InvalidReplicaAssignment, $"there is no broker {unknown}");
            return answer;
        }
        _asked.Add($"{topic}-{partition} {(target is null ? "-" : string.Join(',', target))}");
        _moves.Remove($"{topic}-{partition}");
        if (target is not null) _moves[$"{topic}-{partition}"] = new Move(topic, partition, target) { LooksLeft = LooksPerMove };
        return answer;
    }

    private ListPartitionReassignmentsResponse List(ListPartitionReassignmentsRequest request)
    {
        var asked = _moves.Values.Where(move => request.Topics is null || request.Topics.Exists(
            topic => topic.Name == move.Topic && topic.PartitionIndexes.Contains(move.Partition))).ToList();
        // A look at all is how a plan begins; a look at some is a watcher's.
        foreach (var move in asked.Where(move => request.Topics is not null && move.LooksLeft-- == 0).ToList())
        {
            Place(move.Topic, move.Partition, move.Target);
            _moves.Remove($"{move.Topic}-{move.Partition}");
            asked.Remove(move);
            OnMoveEnded();
        }
        return new()
        {
            Topics = [.. asked.GroupBy(move => move.Topic).Select(topic => new ListPartitionReassignmentsResponse.OngoingTopicReassignment
            {
                Name = topic.Key,
                Partitions = [.. topic.Select(Describe)],
            })],
        };
    }

    private ListPartitionReassignmentsResponse.OngoingPartitionReassignment Describe(Move move)
    {
        var now = ReplicasOf(move.Topic, move.Partition);
        return new()
        {
            PartitionIndex = move.Partition,
            Replicas = [.. move.Target.Union(now)],
            AddingReplicas = [.. move.Target.Except(now)],
            RemovingReplicas = [.. now.Except(move.Target)],
        };
    }

    // A broker that comes has half of its replica after half of the looks.
    private DescribeLogDirsResponse Directories(int broker)
    {
        var held = _cluster.Topics.SelectMany(topic => topic.Value.Partitions.Select((log, i) => (Topic: topic.Key, Partition: i, Log: log)))
            .Where(each => each.Log.Leader == broker || each.Log.Followers.ContainsKey(broker))
            .Select(each => (each.Topic, each.Partition, Size: BytesOfReplica));
        var coming = _moves.Values.Where(move => move.Target.Contains(broker) && !ReplicasOf(move.Topic, move.Partition).Contains(broker))
            .Select(move => (move.Topic, move.Partition, Size: BytesOfReplica * Math.Clamp(LooksPerMove - 1 - move.LooksLeft, 0, LooksPerMove) / LooksPerMove));
        return new()
        {
            Results =
            [
                new()
                {
                    LogDir = "/data",
                    Topics = [.. held.Concat(coming).Select(each => new DescribeLogDirsResponse.DescribeLogDirsTopic
                    {
                        Name = each.Topic,
                        Partitions = [new() { PartitionIndex = each.Partition, PartitionSize = each.Size }],
                    })],
                },
            ],
        };
    }

    private async Task<OlogResult> Succeed(string line)
    {
        var run = await Run(line);
        Assert.True(run.ExitCode == ExitCode.Success, $"olog {line}: {run.ExitCode}, {run.Error}");
        return run;
    }

    private async Task<OlogResult> Run(string line)
    {
        var running = OlogScript.RunAsync(line, null, options => new OrleansLogClient(options, _cluster, null, _clock), _clock);
        await _clock.AdvanceUntilAsync(running, stepMs: 100);
        return await running;
    }

    private sealed record Move(string Topic, int Partition, List<int> Target)
    {
        public int LooksLeft { get; set; }
    }
}
