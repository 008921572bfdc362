using System.Collections.Concurrent;
using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

/// <summary>Groups of the library on several brokers, of which the one that coordinates them is killed.</summary>
public sealed class GroupFailoverTests
{
    private const int RecordCount = 60;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(GroupProtocol.Classic)]
    [InlineData(GroupProtocol.Consumer)]
    public async Task Members_read_on_with_what_they_have_when_their_coordinator_is_killed(GroupProtocol protocol)
    {
        await using var cluster = await TestCluster.StartAsync(3, ("group.consumer.heartbeat.interval.ms", "100"), ("broker.session.timeout.ms", "2000"));
        await using var client = new OrleansLogClient(new ClientOptions { BootstrapServers = cluster.BootstrapFrom(new BrokerId(0)) });
        await client.Admin.CreateTopicAsync(new NewTopic("t", 6, 3));
        await using var producer = client.CreateProducer<string, string>();
        await using var first = new Member(client, protocol);
        await using var second = new Member(client, protocol);
        await WaitUntilAsync(() => first.Consumer.Assignment.Count == 3 && second.Consumer.Assignment.Count == 3, first, second);
        await ProduceAsync(producer, 0);
        await WaitUntilAsync(() => first.Read.Union(second.Read).Count() == RecordCount, first, second);
        var before = (await client.Admin.DescribeGroupAsync("g")).Members.Select(member => member.MemberId).Order(StringComparer.Ordinal).ToList();

        await cluster.Engine.KillAsync((await client.Admin.DescribeGroupAsync("g")).Coordinator);
        await ProduceAsync(producer, RecordCount);
        await WaitUntilAsync(() => first.Read.Union(second.Read).Count() == 2 * RecordCount, first, second);
        await first.Consumer.CommitAsync();
        await second.Consumer.CommitAsync();

        var group = await client.Admin.DescribeGroupAsync("g");
        Assert.Equal(("Stable", protocol.ToString().ToLowerInvariant()), (group.State, group.GroupType));
        Assert.Equal(before, group.Members.Select(member => member.MemberId).Order(StringComparer.Ordinal));
        Assert.Equal(2 * RecordCount, (await client.Admin.ListGroupOffsetsAsync("g")).Sum(committed => committed.Offset.Value));
        Assert.Equal((0, 0), (first.Lost, second.Lost));
    }

    private static async Task ProduceAsync(Producer<string, string> producer, int from)
    {
        for (var i = from; i < from + RecordCount; i++) await producer.ProduceAsync("t", $"{i}", $"{i}");
    }

    private static async Task WaitUntilAsync(Func<bool> isSo, params Member[] members)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            // Armed before the look, so that nothing between the two is missed.
            var next = members.Select(member => member.NextAsync(patience.Token)).ToList();
            if (isSo()) return;
            await Task.WhenAny(next).Unwrap();
        }
    }

    /// <summary>A consumer that reads all the while.</summary>
    private sealed class Member : IRebalanceListener, IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _reading;
        private TaskCompletionSource _changed = New();
        private int _lost;

        public Member(OrleansLogClient client, GroupProtocol protocol)
        {
            Consumer = client.CreateConsumer<string, string>(new ConsumerOptions
            {
                GroupId = "g",
                Protocol = protocol,
                OffsetReset = OffsetReset.Earliest,
                Commit = CommitMode.Manual,
                HeartbeatIntervalMs = 100,
                SessionTimeoutMs = 30_000,
            });
            Consumer.Subscribe(["t"], this);
            _reading = ReadAsync();
        }

        public Consumer<string, string> Consumer { get; }

        public ConcurrentBag<string> Read { get; } = [];

        /// <summary>How many partitions went without notice.</summary>
        public int Lost => Volatile.Read(ref _lost);

        /// <summary>Completes when something has happened to the member.</summary>
        public Task NextAsync(CancellationToken cancellationToken) => Volatile.Read(ref _changed).Task.WaitAsync(cancellationToken);

        public ValueTask OnAssignedAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
        {
            Tell();
            return default;
        }

        public ValueTask OnLostAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
        {
            Interlocked.Add(ref _lost, partitions.Count);
            return default;
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _reading;
            await Consumer.DisposeAsync();
            _stop.Dispose();
        }

        private async Task ReadAsync()
        {
            try
            {
                await foreach (var record in Consumer.ConsumeAsync(_stop.Token))
                {
                    Read.Add(record.Value!);
                    Tell();
                }
            }
            catch (OperationCanceledException)
            {
            }
        }

        private void Tell() => Interlocked.Exchange(ref _changed, New()).TrySetResult();

        private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
