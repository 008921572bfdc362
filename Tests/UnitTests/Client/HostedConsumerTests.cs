using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

public sealed class HostedConsumerTests : IAsyncDisposable
{
    private readonly ManualClock _clock = new();
    private readonly FakeCluster _cluster;
    private readonly Work _work = new();
    private ServiceProvider? _services;

    public HostedConsumerTests()
    {
        _cluster = new FakeCluster { Clock = _clock };
        _cluster.CreateTopic("t", 1);
        _cluster.CreateTopic("dead", 1);
    }

    public async ValueTask DisposeAsync()
    {
        if (_services is not null) await _services.DisposeAsync();
    }

    [Fact]
    public async Task Records_of_one_key_keep_their_order_while_those_of_others_go_on()
    {
        Append(("a", "a1"), ("b", "b1"), ("a", "a2"), ("b", "b2"));
        _work.Hold("a1");
        var consumer = await StartAsync(options => options with { Concurrency = 8 });
        await _work.DoneAsync("b2");
        Assert.Equal(["b1", "b2"], _work.Done);
        _work.Release("a1");
        await _work.DoneAsync("a2");
        Assert.Equal(["b1", "b2", "a1", "a2"], _work.Done);
        await consumer.StopAsync(default);
    }

    [Fact]
    public async Task Records_of_one_partition_keep_their_order_where_that_is_asked_for()
    {
        Append(("a", "a1"), ("b", "b1"));
        _work.Hold("a1");
        var consumer = await StartAsync(options => options with { Concurrency = 8, Order = HandlingOrder.ByPartition });
        await _work.BegunAsync("a1");
        Assert.Empty(_work.Done);
        _work.Release("a1");
        await _work.DoneAsync("b1");
        Assert.Equal(["a1", "b1"], _work.Done);
        await consumer.StopAsync(default);
    }

    [Fact]
    public async Task Only_what_has_nothing_unhandled_before_it_is_committed()
    {
        Append(("a", "a1"), ("b", "b1"), ("c", "c1"));
        _work.Hold("b1");
        var consumer = await StartAsync(options => options with { Concurrency = 8 });
        await _work.DoneAsync("a1");
        await _work.DoneAsync("c1");
        await _clock.AdvanceUntilAsync(() => Committed() == 1, stepMs: 1_000);
        _work.Release("b1");
        await _work.DoneAsync("b1");
        await _clock.AdvanceUntilAsync(() => Committed() == 3, stepMs: 1_000);
        await consumer.StopAsync(default);
    }

    [Fact]
    public async Task A_record_that_fails_is_tried_again_and_those_of_its_key_wait_for_it()
    {
        Append(("a", "a1"), ("a", "a2"));
        _work.Fail("a1", times: 2);
        var consumer = await StartAsync();
        var done = _work.DoneAsync("a2");
        await _clock.AdvanceUntilAsync(done, stepMs: 100);
        Assert.Equal((3, "a1", "a2"), (_work.Attempts("a1"), _work.Done[0], _work.Done[1]));
        await consumer.StopAsync(default);
        Assert.Equal(2, Committed());
    }

    [Fact]
    public async Task A_record_that_cannot_be_handled_goes_to_the_dead_letter_topic_with_the_reason()
    {
        Append(("a", "a1"), ("a", "a2"));
        _work.Fail("a1", times: int.MaxValue);
        var consumer = await StartAsync(options => options with { DeadLetterTopic = "dead", RetriesMax = 1 });
        await _clock.AdvanceUntilAsync(_work.DoneAsync("a2"), stepMs: 100);
        await consumer.StopAsync(default);
        Assert.Equal((2, 2), (_work.Attempts("a1"), Committed()));
        var dead = await ReadDeadAsync();
        Assert.Equal(("a", "a1"), (dead.Key, dead.Value));
        var headers = dead.Headers.ToDictionary(header => header.Key, header => Encoding.UTF8.GetString(header.Value!.Value.Span));
        Assert.Equal(("t", "0", "0", "g", "no luck with a1"), (
            headers[DeadLetterHeaders.Topic], headers[DeadLetterHeaders.Partition], headers[DeadLetterHeaders.Offset], headers[DeadLetterHeaders.Group], headers[DeadLetterHeaders.Reason]));
    }

    [Fact]
    public async Task What_cannot_be_read_goes_to_the_dead_letter_topic_untried()
    {
        Append(("a", "not a number"));
        var consumer = await StartAsync(options => options with { DeadLetterTopic = "dead", ValueDeserializer = new Picky() });
        await _clock.AdvanceUntilAsync(() => Committed() == 1, stepMs: 500);
        await consumer.StopAsync(default);
        Assert.Equal((0, "not a number"), (_work.Attempts("not a number"), (await ReadDeadAsync()).Value));
    }

    [Fact]
    public async Task Without_a_dead_letter_topic_the_consumer_ends_and_the_record_stays_uncommitted()
    {
        Append(("a", "a1"), ("a", "a2"), ("a", "a3"));
        _work.Fail("a2", times: int.MaxValue);
        var consumer = await StartAsync(options => options with { RetriesMax = 0 });
        var failure = await Assert.ThrowsAsync<HandlingFailedException>(() => consumer.ExecuteTask!);
        Assert.Equal((new TopicPartition("t", 0), new Offset(1)), (failure.Partition, failure.Offset));
        Assert.Equal((1, 0), (Committed(), _work.Attempts("a3")));
        Assert.Equal(HealthStatus.Unhealthy, await HealthAsync());
    }

    [Fact]
    public async Task What_need_not_be_tried_again_is_not()
    {
        Append(("a", "a1"));
        _work.Fail("a1", times: int.MaxValue);
        var consumer = await StartAsync(options => options with { DeadLetterTopic = "dead", ShouldRetry = failure => failure is not InvalidOperationException });
        await _clock.AdvanceUntilAsync(() => Committed() == 1, stepMs: 500);
        Assert.Equal(1, _work.Attempts("a1"));
        await consumer.StopAsync(default);
    }

    [Fact]
    public async Task A_stop_waits_for_the_record_in_hand_commits_it_and_leaves_the_rest()
    {
        Append(("a", "a1"), ("a", "a2"));
        _work.Hold("a1");
        var consumer = await StartAsync();
        await _work.BegunAsync("a1");
        var stopping = consumer.StopAsync(default);
        Assert.False(stopping.IsCompleted);
        _work.Release("a1");
        await stopping;
        Assert.Equal((1, 0), (Committed(), _work.Attempts("a2")));
        Assert.Empty(_cluster.Members);
    }

    [Fact]
    public async Task A_stop_cancels_a_record_that_takes_too_long_and_does_not_commit_it()
    {
        Append(("a", "a1"));
        _work.Hold("a1");
        var consumer = await StartAsync(options => options with { DrainTimeoutMs = 5_000 });
        await _work.BegunAsync("a1");
        var stopping = consumer.StopAsync(default);
        await _clock.AdvanceUntilAsync(stopping, stepMs: 1_000);
        Assert.Empty(_cluster.Committed);
        Assert.Empty(_work.Done);
    }

    [Fact]
    public async Task Partitions_that_move_are_committed_before_others_read_them()
    {
        _cluster.CreateTopic("u", 2);
        for (var i = 0; i < 2; i++) _cluster.AppendBatch("u", i, ClientRecords.Build($"{i}"));
        var consumer = await StartAsync(options => options with { Topics = ["u"], CommitIntervalMs = int.MaxValue, Concurrency = 4 });
        await _work.DoneAsync("0");
        await _work.DoneAsync("1");
        Assert.Empty(_cluster.Committed);
        var client = _services!.GetRequiredService<OrleansLogClient>();
        await using var other = client.CreateConsumer<string, string>(new ConsumerOptions { GroupId = "g" });
        other.Subscribe("u");
        using var stop = new CancellationTokenSource();
        var reading = DrainAsync(other, stop.Token);
        await _clock.AdvanceUntilAsync(() => other.Assignment.Count == 1, stepMs: 500);
        Assert.Equal(1, _cluster.Committed[other.Assignment.Single()]);
        await stop.CancelAsync();
        await reading;
        await consumer.StopAsync(default);
    }

    [Fact]
    public async Task Health_and_metrics_tell_of_retries_and_outcomes()
    {
        using var metrics = new Metrics();
        Append(("a", "a1"), ("a", "a2"));
        _work.Fail("a1", times: 1);
        _work.Hold("a1");
        var consumer = await StartAsync();
        await _work.BegunAsync("a1");
        Assert.Equal(HealthStatus.Healthy, await HealthAsync());
        _work.Release("a1");
        await WaitUntilAsync(async () => await HealthAsync() == HealthStatus.Degraded);
        await _clock.AdvanceUntilAsync(_work.DoneAsync("a2"), stepMs: 100);
        await consumer.StopAsync(default);
        Assert.Equal(HealthStatus.Healthy, await HealthAsync());
        Assert.Equal((2, 1, 0), (metrics["orleanslog.consumer.records:handled"], metrics["orleanslog.consumer.retries:"], metrics["orleanslog.consumer.in_hand:"]));
    }

    [Fact]
    public void Options_that_make_no_sense_are_refused_when_the_consumer_is_added()
    {
        var services = new ServiceCollection();
        Assert.Throws<ArgumentException>(() => services.AddConsumer<Handler>(options => options with { Topics = ["t"] }));
        Assert.Throws<ArgumentException>(() => services.AddConsumer<Handler>(options => options with { Consumer = new() { GroupId = "g" } }));
        Assert.Throws<ArgumentOutOfRangeException>(() => services.AddConsumer<Handler>(options => options with { Topics = ["t"], Consumer = new() { GroupId = "g" }, Concurrency = 0 }));
    }

    private async Task<BackgroundService> StartAsync(Func<HostedConsumerOptions<string, string>, HostedConsumerOptions<string, string>>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton(_work).AddSingleton<TimeProvider>(_clock);
        services.AddSingleton(new OrleansLogClient(new ClientOptions { OperationTimeoutMs = int.MaxValue }, _cluster, null, _clock));
        services.AddConsumer<Handler>(options =>
        {
            var mine = options with { Name = "mine", Topics = ["t"], Consumer = new ConsumerOptions { GroupId = "g", OffsetReset = OffsetReset.Earliest } };
            return configure?.Invoke(mine) ?? mine;
        });
        _services = services.BuildServiceProvider();
        var consumer = (BackgroundService)_services.GetServices<IHostedService>().Single();
        await consumer.StartAsync(default);
        return consumer;
    }

    private void Append(params (string Key, string Value)[] records) => _cluster.AppendBatch("t", 0, ClientRecords.BuildPairs(records));

    private long Committed() => _cluster.Committed.GetValueOrDefault(new TopicPartition("t", 0));

    private async Task<HealthStatus> HealthAsync() =>
        (await _services!.GetRequiredService<ConsumerHealthCheck>().CheckHealthAsync(new HealthCheckContext())).Status;

    private async Task<ConsumedRecord<string, string>> ReadDeadAsync()
    {
        await using var reader = _services!.GetRequiredService<OrleansLogClient>().CreateConsumer<string, string>(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        reader.Assign([new TopicPartition("dead", 0)]);
        await foreach (var record in reader.ConsumeAsync()) return record;
        throw new InvalidOperationException();
    }

    private static async Task WaitUntilAsync(Func<Task<bool>> isSo)
    {
        for (var turns = 0; !await isSo(); turns++)
        {
            Assert.True(turns < 1_000_000, "it has not come about");
            await Task.Yield();
        }
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

    private sealed class Picky : IDeserializer<string>
    {
        public string Deserialize(ReadOnlySpan<byte> data) => throw new FormatException("unreadable");
    }

    private sealed class Handler(Work work) : IRecordHandler<string, string>
    {
        public async ValueTask HandleAsync(ConsumedRecord<string, string> record, CancellationToken cancellationToken) =>
            await work.HandleAsync(record.Value!, cancellationToken);
    }

    /// <summary>What handlers do: it is told which records to hold back and which to fail with, and waited for.</summary>
    private sealed class Work
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, int> _attempts = [];
        private readonly Dictionary<string, int> _failures = [];
        private readonly Dictionary<string, TaskCompletionSource> _holds = [];
        private readonly Dictionary<string, TaskCompletionSource> _events = [];
        private readonly List<string> _done = [];

        public List<string> Done
        {
            get { lock (_gate) return [.. _done]; }
        }

        public int Attempts(string value)
        {
            lock (_gate) return _attempts.GetValueOrDefault(value);
        }

        public void Hold(string value) => _holds[value] = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release(string value) => _holds[value].SetResult();

        public void Fail(string value, int times) => _failures[value] = times;

        public Task BegunAsync(string value) => On($"begun {value}").Task;

        public Task DoneAsync(string value) => On($"done {value}").Task;

        public async Task HandleAsync(string value, CancellationToken cancellationToken)
        {
            int attempt;
            lock (_gate) attempt = _attempts[value] = _attempts.GetValueOrDefault(value) + 1;
            On($"begun {value}").TrySetResult();
            if (_holds.TryGetValue(value, out var hold)) await hold.Task.WaitAsync(cancellationToken);
            if (attempt <= _failures.GetValueOrDefault(value)) throw new InvalidOperationException($"no luck with {value}");
            lock (_gate) _done.Add(value);
            On($"done {value}").TrySetResult();
        }

        private TaskCompletionSource On(string what)
        {
            lock (_gate)
            {
                if (!_events.TryGetValue(what, out var source)) _events[what] = source = new(TaskCreationOptions.RunContinuationsAsynchronously);
                return source;
            }
        }
    }

    private sealed class Metrics : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly Lock _gate = new();
        private readonly Dictionary<string, long> _sums = [];

        public Metrics()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name.StartsWith("orleanslog.consumer", StringComparison.Ordinal)) listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument.Name, value, tags));
            _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument.Name, value, tags));
            _listener.Start();
        }

        public long this[string name]
        {
            get { lock (_gate) return _sums.GetValueOrDefault(name); }
        }

        public void Dispose() => _listener.Dispose();

        // Other tests measure at the same time.
        private void Add(string name, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            string? outcome = null, consumer = null;
            foreach (var (key, tag) in tags)
            {
                if (key == "outcome") outcome = (string?)tag;
                if (key == "consumer") consumer = (string?)tag;
            }
            if (consumer != "mine") return;
            lock (_gate) _sums[$"{name}:{outcome}"] = _sums.GetValueOrDefault($"{name}:{outcome}") + value;
        }
    }
}
