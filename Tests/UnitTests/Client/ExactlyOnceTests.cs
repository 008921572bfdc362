using System.Globalization;
using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

/// <summary>
/// Records are copied from topic to topic in transactions, their offsets among them, while leaders and coordinators are killed: a
/// reader of committed records finds each once.
/// </summary>
public sealed class ExactlyOnceTests
{
    private const int Records = 400;
    private const int Partitions = 2;
    private const int RecordsOfTransaction = 10;

    private static readonly ConsumerOptions Committed = new()
    {
        IsolationLevel = IsolationLevel.ReadCommitted,
        OffsetReset = OffsetReset.Earliest,
        FetchWaitMsMax = 50,
        Commit = CommitMode.Manual,
    };

    [Fact]
    public async Task Each_record_is_copied_once_while_brokers_are_killed()
    {
        await using var cluster = await TestCluster.StartAsync(
            3, ("transaction.state.log.num.partitions", "3"), ("offsets.topic.num.partitions", "3"), ("group.initial.rebalance.delay.ms", "0"));
        foreach (var topic in (string[])["in", "out"]) await ClusterScript.CreateAsync(cluster, topic, 3, Partitions, ("min.insync.replicas", "2"));
        await using var client = new OrleansLogClient(cluster.BootstrapFrom(new(0)));
        await FillAsync(client);
        var progress = new Progress();
        var copying = CopyAsync(client, progress);
        for (var victim = 0; victim < 3; victim++)
        {
            await progress.PassAsync(Records * (2 * victim + 1) / 8);
            await cluster.Engine.KillAsync(new(victim));
            await progress.PassAsync(Records * (2 * victim + 2) / 8);
            await cluster.Engine.StartAsync(new(victim));
            foreach (var partition in Enumerable.Range(0, Partitions))
                await cluster.UntilAsync("out", record => record.InSync.Length == 3, partition);
        }
        await copying;

        Assert.Equal(Enumerable.Range(0, Records), (await ReadAsync(client)).Order());
    }

    private static async Task FillAsync(OrleansLogClient client)
    {
        await using var producer = client.CreateProducer<int, int>();
        for (var i = 0; i < Records; i++) await producer.PostAsync("in", new OutgoingRecord<int, int>(i, i));
        await producer.FlushAsync();
    }

    private static async Task CopyAsync(OrleansLogClient client, Progress progress)
    {
        await using var producer = client.CreateProducer<int, int>(new() { TransactionalId = "copier" });
        await using var consumer = client.CreateConsumer<int, int>(Committed with { GroupId = "copiers", SessionTimeoutMs = 6_000 });
        consumer.Subscribe("in");
        await using var records = consumer.ConsumeAsync().GetAsyncEnumerator();
        while (progress.Copied < Records)
        {
            await using var transaction = producer.BeginTransaction();
            try
            {
                var taken = 0;
                for (var wanted = Math.Min(RecordsOfTransaction, Records - progress.Copied); taken < wanted && await records.MoveNextAsync(); taken++)
                    await producer.PostAsync("out", new OutgoingRecord<int, int>(records.Current.Key, records.Current.Value));
                await transaction.SendOffsetsAsync(consumer.Positions, consumer.GroupMetadata);
                await transaction.CommitAsync();
                progress.Add(taken);
            }
            catch (OrleansLogException)
            {
                // Aborted when it is disposed of; what it was made of is read again.
                consumer.SeekToCommitted();
            }
        }
    }

    private static async Task<List<int>> ReadAsync(OrleansLogClient client)
    {
        await using (var plain = client.CreateProducer<int, int>())
        {
            for (var partition = 0; partition < Partitions; partition++) await plain.ProduceAsync("out", new OutgoingRecord<int, int>(-1, -1) { Partition = partition });
        }
        await using var consumer = client.CreateConsumer<int, int>(Committed);
        consumer.Assign(Enumerable.Range(0, Partitions).Select(index => new TopicPartition("out", index)));
        var (values, ends) = (new List<int>(), 0);
        await foreach (var record in consumer.ConsumeAsync())
        {
            if (record.Value >= 0) values.Add(record.Value);
            else if (++ends == Partitions) break;
        }
        return values;
    }

    private sealed class Progress
    {
        private readonly Lock _gate = new();
        private readonly List<(int Copied, TaskCompletionSource Passed)> _waiting = [];

        public int Copied { get; private set; }

        public void Add(int records)
        {
            lock (_gate)
            {
                Copied += records;
                foreach (var (copied, passed) in _waiting) if (Copied >= copied) passed.TrySetResult();
            }
        }

        public Task PassAsync(int copied)
        {
            lock (_gate)
            {
                if (Copied >= copied) return Task.CompletedTask;
                var passed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiting.Add((copied, passed));
                return passed.Task.WaitAsync(TimeSpan.FromMinutes(3));
            }
        }
    }
}
