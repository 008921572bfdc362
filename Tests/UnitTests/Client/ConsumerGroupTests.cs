using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

public sealed class ConsumerGroupTests : IAsyncDisposable
{
    private readonly ManualClock _clock = new();
    private readonly FakeCluster _cluster;
    private readonly OrleansLogClient _client;

    public ConsumerGroupTests()
    {
        _cluster = new FakeCluster { Clock = _clock };
        _cluster.CreateTopic("t", 4);
        for (var i = 0; i < 4; i++) _cluster.AppendBatch("t", i, ClientRecords.Build($"{i}a", $"{i}b"));
        _client = new OrleansLogClient(new ClientOptions { OperationTimeoutMs = int.MaxValue }, _cluster, null, _clock);
    }

    public async ValueTask DisposeAsync() => await _client.DisposeAsync();

    [Fact]
    public async Task A_lone_member_reads_everything_and_leaves_when_disposed()
    {
        var consumer = Join();
        Assert.Equal(["0a", "0b", "1a", "1b", "2a", "2b", "3a", "3b"], (await ReadAsync(consumer, 8)).Order());
        Assert.Single(_cluster.Members);
        await consumer.DisposeAsync();
        Assert.Empty(_cluster.Members);
    }

    [Fact]
    public async Task The_automatic_commit_covers_what_was_finished_and_not_what_is_in_hand()
    {
        await using var consumer = Join();
        await using var reading = consumer.ConsumeAsync().GetAsyncEnumerator();
        for (var i = 0; i < 3; i++) await reading.MoveNextAsync();
        _clock.AdvanceMs(5_000);
        Assert.Equal(2, _cluster.Committed.Values.Sum());
    }

    [Fact]
    public async Task Manual_commits_cover_what_is_in_hand()
    {
        await using var consumer = Join(new ConsumerOptions { Commit = CommitMode.Manual });
        await ReadAsync(consumer, 3);
        _clock.AdvanceMs(60_000);
        Assert.Empty(_cluster.Committed);
        await consumer.CommitAsync();
        Assert.Equal(3, _cluster.Committed.Values.Sum());
    }

    [Fact]
    public async Task A_commit_by_hand_is_not_taken_back_by_the_automatic_one()
    {
        var consumer = Join();
        await ReadAsync(consumer, 3);
        await consumer.CommitAsync();
        await consumer.DisposeAsync();
        Assert.Equal(3, _cluster.Committed.Values.Sum());
    }

    [Fact]
    public async Task At_most_once_commits_before_it_hands_out()
    {
        await using var consumer = Join(new ConsumerOptions { Commit = CommitMode.AutoAtMostOnce });
        await using var reading = consumer.ConsumeAsync().GetAsyncEnumerator();
        await reading.MoveNextAsync();
        Assert.Equal(2, _cluster.Committed[reading.Current.TopicPartition]);
    }

    [Fact]
    public async Task Reading_goes_on_from_the_committed_offsets()
    {
        for (var i = 0; i < 4; i++) _cluster.Committed[new TopicPartition("t", i)] = 1;
        await using var consumer = Join();
        Assert.Equal(["0b", "1b", "2b", "3b"], (await ReadAsync(consumer, 4)).Order());
    }

    [Theory]
    [InlineData("range")]
    [InlineData("roundrobin")]
    [InlineData("cooperative-sticky")]
    public async Task Two_members_share_the_partitions_and_the_one_that_stays_inherits(string assignor)
    {
        var first = Join(With(assignor));
        await ReadAsync(first, 8);
        var second = Join(With(assignor));
        await RebalanceAsync(first, second);
        Assert.Equal((2, 2), (first.Assignment.Count, second.Assignment.Count));
        Assert.Empty(first.Assignment.Intersect(second.Assignment));

        await first.DisposeAsync();
        await RebalanceAsync(second);
        Assert.Equal(4, second.Assignment.Count);
        await second.DisposeAsync();
    }

    [Fact]
    public async Task A_cooperative_member_keeps_what_does_not_move()
    {
        var listener = new RecordingListener();
        await using var first = Join(With("cooperative-sticky"), listener);
        await ReadAsync(first, 8);
        await using var second = Join(With("cooperative-sticky"));
        await RebalanceAsync(first, second);
        Assert.Equal(4, listener.Assigned.Count);
        Assert.Equal(2, listener.Revoked.Count);
        Assert.Empty(first.Assignment.Intersect(listener.Revoked));
    }

    [Fact]
    public async Task An_eager_member_gives_up_everything_first()
    {
        var listener = new RecordingListener();
        await using var first = Join(With("range"), listener);
        await ReadAsync(first, 8);
        await using var second = Join(With("range"));
        await RebalanceAsync(first, second);
        Assert.Equal(4, listener.Revoked.Count);
        Assert.Equal(6, listener.Assigned.Count);
    }

    [Fact]
    public async Task A_member_that_was_dropped_learns_what_it_lost_and_joins_again()
    {
        var listener = new RecordingListener();
        await using var consumer = Join(listener: listener);
        await ReadAsync(consumer, 8);
        _cluster.Expel(_cluster.Members.Single());
        _clock.AdvanceMs(3_000);
        await RebalanceAsync(consumer);
        Assert.Equal(4, listener.Lost.Count);
        Assert.Empty(listener.Revoked);
        Assert.Equal(4, consumer.Assignment.Count);
    }

    [Fact]
    public async Task An_application_that_stops_reading_leaves_the_group_and_returns_with_its_next_read()
    {
        await using var consumer = Join(new ConsumerOptions { PollIntervalMsMax = 30_000 });
        await ReadAsync(consumer, 1);
        for (var i = 0; i < 12; i++) _clock.AdvanceMs(3_000);
        Assert.Empty(_cluster.Members);
        await ReadAsync(consumer, 1);
        Assert.Single(_cluster.Members);
    }

    [Fact]
    public async Task An_application_that_waits_for_records_stays_in_the_group()
    {
        await using var consumer = Join(new ConsumerOptions { PollIntervalMsMax = 30_000 });
        await ReadAsync(consumer, 8);
        using var stop = new CancellationTokenSource();
        var reading = ReadAsync(consumer, 1, stop.Token);
        for (var i = 0; i < 12; i++) _clock.AdvanceMs(3_000);
        Assert.Single(_cluster.Members);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task A_static_member_stays_when_it_is_disposed()
    {
        var consumer = Join(new ConsumerOptions { GroupInstanceId = "me" });
        await ReadAsync(consumer, 1);
        await consumer.DisposeAsync();
        Assert.Single(_cluster.Members);
    }

    [Fact]
    public async Task A_coordinator_that_is_not_ready_is_asked_again()
    {
        _cluster.FailNext(ApiKey.FindCoordinator, ErrorCode.CoordinatorNotAvailable);
        _cluster.FailNext(ApiKey.JoinGroup, ErrorCode.CoordinatorLoadInProgress, ErrorCode.NotCoordinator);
        await using var consumer = Join();
        var reading = ReadAsync(consumer, 8);
        await _clock.AdvanceUntilAsync(reading, stepMs: 100);
        Assert.Equal(8, (await reading).Count);
    }

    [Fact]
    public async Task A_commit_after_a_rebalance_says_what_happened()
    {
        await using var consumer = Join(new ConsumerOptions { Commit = CommitMode.Manual });
        await ReadAsync(consumer, 3);
        _cluster.FailNext(ApiKey.OffsetCommit, ErrorCode.IllegalGeneration);
        var failure = await Assert.ThrowsAsync<OrleansLogException>(async () => await consumer.CommitAsync());
        Assert.Equal(ErrorCode.IllegalGeneration, failure.ErrorCode);
        Assert.Contains("nothing was committed", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_member_that_was_dropped_does_not_pass_for_a_reader_without_a_group()
    {
        await using var consumer = Join(new ConsumerOptions { Commit = CommitMode.Manual });
        await ReadAsync(consumer, 3);
        var held = consumer.GroupMetadata;
        _cluster.FailNext(ApiKey.Heartbeat, ErrorCode.UnknownMemberId);
        _clock.AdvanceMs(3_000);
        Assert.True(held.GenerationId >= 0 && held.MemberId.Length > 0);
        Assert.Equal(held, consumer.GroupMetadata);
    }

    [Fact]
    public async Task A_topic_that_comes_into_being_later_is_read()
    {
        await using var consumer = _client.CreateConsumer<string, string>(new ConsumerOptions { GroupId = "g", OffsetReset = OffsetReset.Earliest, PollIntervalMsMax = int.MaxValue });
        consumer.Subscribe("t", "later");
        await ReadAsync(consumer, 8);
        _cluster.CreateTopic("later");
        _cluster.Append("later", 0, "new");
        var reading = ReadAsync(consumer, 1);
        await _clock.AdvanceUntilAsync(reading, stepMs: 500);
        Assert.Equal(["new"], await reading);
        Assert.Equal(5, consumer.Assignment.Count);
    }

    [Fact]
    public async Task New_partitions_of_a_topic_are_read()
    {
        await using var consumer = Join(With("cooperative-sticky"));
        await ReadAsync(consumer, 8);
        _cluster.Grow("t", 5);
        _cluster.Append("t", 4, "new");
        var reading = ReadAsync(consumer, 1);
        await _clock.AdvanceUntilAsync(reading, stepMs: 5_000);
        Assert.Equal(["new"], await reading);
    }

    [Fact]
    public void Subscribing_needs_a_group()
    {
        var consumer = _client.CreateConsumer<string, string>();
        Assert.Throws<InvalidOperationException>(() => consumer.Subscribe("t"));
    }

    private static ConsumerOptions With(string assignor) => new()
    {
        PollIntervalMsMax = int.MaxValue,
        Assignors = [new[] { Assignors.Range, Assignors.RoundRobin, Assignors.CooperativeSticky }.Single(one => one.Name == assignor)],
    };

    private Consumer<string, string> Join(ConsumerOptions? options = null, IRebalanceListener? listener = null)
    {
        var consumer = _client.CreateConsumer<string, string>((options ?? new ConsumerOptions()) with { GroupId = "g", OffsetReset = OffsetReset.Earliest });
        consumer.Subscribe(["t"], listener);
        return consumer;
    }

    private static async Task<List<string?>> ReadAsync(Consumer<string, string> consumer, int count, CancellationToken cancellationToken = default)
    {
        List<string?> read = [];
        await foreach (var record in consumer.ConsumeAsync(cancellationToken))
        {
            read.Add(record.Value);
            if (read.Count == count) break;
        }
        return read;
    }

    /// <summary>Lets all members wait for records, and the clock run, until every partition has an owner again.</summary>
    private async Task RebalanceAsync(params Consumer<string, string>[] members)
    {
        using var stop = new CancellationTokenSource();
        var readers = members.Select(member => DrainAsync(member, stop.Token)).ToList();
        await _clock.AdvanceUntilAsync(
            () => members.Sum(member => member.Assignment.Count) == 4 && members.All(member => member.Assignment.Count > 0), stepMs: 500);
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

    private sealed class RecordingListener : IRebalanceListener
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
