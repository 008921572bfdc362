using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;
using OrleansLog.UnitTests.Coordination;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

/// <summary>Consumers of the library in groups that a real coordinator assigns (KIP-848), over a cluster in memory.</summary>
public sealed class ConsumerProtocolGroupTests : IAsyncLifetime
{
    private readonly FakeCluster _cluster;
    private readonly OrleansLogClient _client;
    private GroupScript _script = null!;

    public ConsumerProtocolGroupTests()
    {
        Clock = new ManualClock();
        _cluster = new FakeCluster { Clock = Clock };
        _client = new OrleansLogClient(new ClientOptions { OperationTimeoutMs = int.MaxValue }, _cluster, null, Clock);
    }

    private ManualClock Clock { get; }

    public async ValueTask InitializeAsync()
    {
        _script = new GroupScript(clock: Clock);
        await _script.ElectAsync();
        Create("t", 4);
        _cluster.Answer<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse>((_, request) => Now(_script.Coordinator.ConsumerGroupHeartbeatAsync(GroupScript.Context(1), request)));
        _cluster.Answer<OffsetCommitRequest, OffsetCommitResponse>((_, request) => Now(_script.Coordinator.OffsetCommitAsync(GroupScript.Context(9), request)));
        _cluster.Answer<OffsetFetchRequest, OffsetFetchResponse>((_, request) => Now(_script.Coordinator.OffsetFetchAsync(GroupScript.Context(9), request)));
    }

    public async ValueTask DisposeAsync() => await _client.DisposeAsync();

    [Fact]
    public async Task A_lone_member_reads_everything_commits_and_leaves()
    {
        var consumer = Join();
        Assert.Equal(["t0a", "t0b", "t1a", "t1b", "t2a", "t2b", "t3a", "t3b"], (await ReadAsync(consumer, 8)).Order());
        await consumer.CommitAsync();
        Assert.Equal("t-0=2 t-1=2 t-2=2 t-3=2", await _script.Offsets("g"));
        Assert.Single((await Describe()).Members);
        await consumer.DisposeAsync();
        Assert.Empty((await Describe()).Members);
    }

    [Fact]
    public async Task A_second_member_takes_half_after_the_first_has_committed_and_let_go()
    {
        var listener = new Listener();
        await using var first = Join(listener: listener);
        await ReadAsync(first, 8);
        await using var second = Join();
        await RebalanceAsync(() => first.Assignment.Count == 2 && second.Assignment.Count == 2, first, second);
        Assert.Empty(first.Assignment.Intersect(second.Assignment));
        Assert.Equal((4, 2, 0), (listener.Assigned.Count, listener.Revoked.Count, listener.Lost.Count));
        foreach (var partition in listener.Revoked)
            Assert.Contains($"{partition}=2", await _script.Offsets("g"));
        await second.DisposeAsync();
        await RebalanceAsync(() => first.Assignment.Count == 4, first);
    }

    [Fact]
    public async Task Partitions_that_stay_are_read_on_while_others_move()
    {
        var listener = new Listener();
        await using var first = Join(listener: listener);
        await ReadAsync(first, 8);
        await using var second = Join();
        await RebalanceAsync(() => second.Assignment.Count == 2, first, second);
        Assert.Equal(4, listener.Assigned.Count);
    }

    [Fact]
    public async Task An_expression_takes_in_topics_that_come_later_without_the_client_knowing_them()
    {
        Create("other", 1);
        await using var consumer = _client.CreateConsumer<string, string>(Options());
        consumer.SubscribePattern("t.*");
        await ReadAsync(consumer, 8);
        Create("tt", 2);
        await RebalanceAsync(() => consumer.Assignment.Count == 6, consumer);
        Assert.DoesNotContain(consumer.Assignment, partition => partition.Topic == "other");
        Assert.Throws<ArgumentException>(() => consumer.SubscribePattern("(?=t)t"));
        Assert.ThrowsAny<ArgumentException>(() => consumer.SubscribePattern("("));
    }

    [Fact]
    public async Task Another_subscription_is_told_at_once()
    {
        Create("u", 1);
        await using var consumer = Join();
        await ReadAsync(consumer, 8);
        consumer.Subscribe("u");
        Assert.Equal(["u0a", "u0b"], await ReadAsync(consumer, 2));
        Assert.Equal([new TopicPartition("u", 0)], consumer.Assignment);
    }

    [Fact]
    public async Task A_static_member_keeps_its_place_over_a_restart()
    {
        await using (var before = Join(Options() with { GroupInstanceId = "till" }))
        {
            await ReadAsync(before, 8);
        }
        var member = Assert.Single((await Describe()).Members);
        Assert.Equal(("till", -2), (member.InstanceId, member.MemberEpoch));
        await using var after = Join(Options() with { GroupInstanceId = "till" });
        _cluster.AppendBatch("t", 0, ClientRecords.Build("new"));
        Assert.Equal(["new"], await ReadAsync(after, 1));
        Assert.Equal(1, (await Describe()).GroupEpoch);
    }

    [Fact]
    public async Task A_member_that_was_given_up_is_told_so_and_joins_again()
    {
        var listener = new Listener();
        await using var consumer = Join(listener: listener);
        await ReadAsync(consumer, 8);
        _cluster.Disconnect(1);
        Clock.AdvanceMs(60_000);
        _cluster.Reconnect(1);
        await RebalanceAsync(() => listener.Assigned.Count == 8, consumer);
        Assert.Equal(4, listener.Lost.Count);
    }

    [Fact]
    public async Task An_application_that_reads_no_more_leaves_and_comes_back_with_its_next_read()
    {
        await using var consumer = Join(Options() with { PollIntervalMsMax = 20_000 });
        await using (var reading = consumer.ConsumeAsync().GetAsyncEnumerator())
        {
            await reading.MoveNextAsync();
            await Clock.AdvanceUntilAsync(() => Now(Describe()).Members.Count == 0, stepMs: 5_000);
        }
        Assert.NotEmpty(await ReadAsync(consumer, 4));
        Assert.Single((await Describe()).Members);
    }

    [Fact]
    public async Task A_commit_that_crosses_a_new_epoch_is_sent_again_in_it()
    {
        await using var consumer = Join();
        await ReadAsync(consumer, 8);
        Create("unread", 1);
        var seen = 0;
        _cluster.Answer<OffsetCommitRequest, OffsetCommitResponse>((_, request) =>
        {
            if (seen++ == 0)
            {
                // The group moves on, and with it this member, while its commit is on the way.
                _script.Topics.Create("t", 5, _script.Topics.Find("t")!.Value.Id);
                Now(_script.Coordinator.ConsumerGroupHeartbeatAsync(GroupScript.Context(1), new ConsumerGroupHeartbeatRequest { GroupId = "g", MemberId = request.MemberId, MemberEpoch = request.GenerationIdOrMemberEpoch }));
            }
            return Now(_script.Coordinator.OffsetCommitAsync(GroupScript.Context(9), request));
        });
        await consumer.CommitAsync();
        Assert.Equal((2, "t-0=2 t-1=2 t-2=2 t-3=2"), (seen, await _script.Offsets("g")));
    }

    [Fact]
    public async Task Assignors_that_the_brokers_do_not_have_are_an_error_that_says_so()
    {
        await using var consumer = Join(Options() with { ServerAssignor = "astrology" });
        var refused = await Assert.ThrowsAsync<OrleansLogException>(() => ReadAsync(consumer, 1));
        Assert.Equal(ErrorCode.UnsupportedAssignor, refused.ErrorCode);
        Assert.Contains("astrology", refused.Message, StringComparison.Ordinal);
    }

    // Nothing here waits for other members; at most for another thread's turn at the coordinator.
    private static T Now<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private static ConsumerOptions Options() => new() { GroupId = "g", OffsetReset = OffsetReset.Earliest, Protocol = GroupProtocol.Consumer };

    private void Create(string name, int partitions)
    {
        var topic = _cluster.CreateTopic(name, partitions);
        for (var i = 0; i < partitions; i++) _cluster.AppendBatch(name, i, ClientRecords.Build($"{name}{i}a", $"{name}{i}b"));
        _script.Topics.Create(name, partitions, topic.Id);
    }

    private Consumer<string, string> Join(ConsumerOptions? options = null, IRebalanceListener? listener = null)
    {
        var consumer = _client.CreateConsumer<string, string>(options ?? Options());
        consumer.Subscribe(["t"], listener);
        return consumer;
    }

    private async Task<ConsumerGroupDescribeResponse.DescribedGroup> Describe() =>
        (await _script.Coordinator.DescribeConsumerGroupsAsync(GroupScript.Context(1), new ConsumerGroupDescribeRequest { GroupIds = ["g"] })).Groups[0];

    private static async Task<List<string?>> ReadAsync(Consumer<string, string> consumer, int count)
    {
        List<string?> read = [];
        await foreach (var record in consumer.ConsumeAsync())
        {
            read.Add(record.Value);
            if (read.Count == count) break;
        }
        return read;
    }

    /// <summary>Has the members read until the group stands as it should.</summary>
    private async Task RebalanceAsync(Func<bool> isDone, params Consumer<string, string>[] members)
    {
        using var stop = new CancellationTokenSource();
        var readers = members.Select(member => DrainAsync(member, stop.Token)).ToList();
        await Clock.AdvanceUntilAsync(isDone, stepMs: 500);
        await stop.CancelAsync();
        await Task.WhenAll(readers);
    }

    private static async Task DrainAsync(Consumer<string, string> consumer, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var _ in consumer.ConsumeAsync(cancellationToken))
            {
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private sealed class Listener : IRebalanceListener
    {
        public List<TopicPartition> Assigned { get; } = [];
        public List<TopicPartition> Revoked { get; } = [];
        public List<TopicPartition> Lost { get; } = [];

        public ValueTask OnAssignedAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
        {
            Assigned.AddRange(partitions);
            return default;
        }

        public ValueTask OnRevokedAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
        {
            Revoked.AddRange(partitions);
            return default;
        }

        public ValueTask OnLostAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
        {
            Lost.AddRange(partitions);
            return default;
        }
    }
}
