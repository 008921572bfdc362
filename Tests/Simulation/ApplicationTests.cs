using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Simulation.Applications;
using OrleansLog.Simulation.Faults;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation;

/// <summary>Applications with the real client over a simulated cluster.</summary>
public sealed class ApplicationTests(ITestOutputHelper output)
{
    private const int RecordCount = 60;
    private const int End = -1;
    private const int PatienceMs = 1_000;

    private static readonly FaultProfile Calm = new() { FaultEveryMs = 0, FaultsMs = 1_000 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_acknowledged_record_is_read_once_and_in_order_though_the_leader_crashes(ulong seed)
    {
        var result = SimRun.RunApplication(seed, application => WriteAndReadAsync(application, crashAt: RecordCount / 2), Calm);
        Assert.Null(result.Violation);
        Assert.True(result.Epochs > 1, "nobody else came to lead");
        Assert.True(result.Acknowledged > 1);
    }

    /// <summary>Seeds as for <see cref="SeedTests"/>.</summary>
    [Fact]
    public void Every_acknowledged_record_is_read_once_and_in_order_whatever_goes_wrong()
    {
        var (first, count) = (Seeds.First, Seeds.Count(20));
        for (var seed = first; seed < first + count; seed++)
        {
            var result = SimRun.RunApplication(seed, application => WriteAndReadAsync(application), Faulty(seed), keepsTrace: count == 1);
            if (count == 1) output.WriteLine(result.Trace);
            Assert.True(result.Violation is null, $"application seed {seed}: {result.Violation}");
        }
    }

    /// <summary>
    /// A follower that lost its disk while the partition was idle, and was back before anybody missed it (21); damage that a
    /// reader was told of while it was being repaired (56); damage on the leader's disk that nobody read (58).
    /// </summary>
    [Theory]
    [InlineData(21)]
    [InlineData(56)]
    [InlineData(58)]
    public void What_broke_once_for_an_application_does_not_break_again(ulong seed) =>
        Assert.Null(SimRun.RunApplication(seed, application => WriteAndReadAsync(application), Faulty(seed)).Violation);

    [Fact]
    public void A_seed_runs_an_application_the_same_twice()
    {
        for (ulong seed = 1; seed <= 5; seed++)
        {
            var first = SimRun.RunApplication(seed, application => WriteAndReadAsync(application), Faulty(seed), keepsTrace: true);
            var second = SimRun.RunApplication(seed, application => WriteAndReadAsync(application), Faulty(seed), keepsTrace: true);
            Assert.Equal(first.Trace, second.Trace);
            Assert.Equal((first.TraceHash, first.Events), (second.TraceHash, second.Events));
            Assert.Contains("application 300 reads", first.Trace, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_an_application_throws_breaks_the_run()
    {
        var result = SimRun.RunApplication(1, _ => throw new InvalidOperationException("no stock left"), Calm);
        Assert.Contains("no stock left", result.Violation, StringComparison.Ordinal);
    }

    [Fact]
    public void An_application_that_waits_for_ever_breaks_the_run()
    {
        var result = SimRun.RunApplication(1, _ => new TaskCompletionSource().Task, Calm);
        Assert.Contains("has not come to an end", result.Violation, StringComparison.Ordinal);
    }

    // Retention, which may take away what was not read yet, is another matter.
    private static FaultProfile Faulty(ulong seed)
    {
        var drawn = FaultProfile.Draw(new(seed));
        int[] weights = [.. drawn.Weights];
        weights[(int)FaultKind.DeleteRecords] = 0;
        return drawn with { Weights = weights };
    }

    private static async Task WriteAndReadAsync(SimApplication application, int crashAt = -1)
    {
        await using var client = application.CreateClient(new() { RequestTimeoutMs = PatienceMs });
        var reading = ReadAsync(application, client);
        Dictionary<long, int> acknowledged = [];
        await using (var producer = client.CreateProducer<int, int>(new() { RequestTimeoutMs = PatienceMs }))
        {
            for (var i = 0; i < RecordCount; i++)
            {
                if (i == crashAt) CrashLeader(application.Cluster);
                var written = await producer.ProduceAsync(SimCluster.Partition.Topic, i, i);
                acknowledged.Add(written.Offset.Value, i);
                await Task.Delay(TimeSpan.FromMilliseconds(20), application.Time);
            }

            await producer.ProduceAsync(SimCluster.Partition.Topic, End, End);
        }

        var read = await reading;
        Assert.All(acknowledged, each => Assert.Equal(each.Value, read[each.Key]));
        Assert.Equal([.. Enumerable.Range(0, RecordCount), End], read.OrderBy(each => each.Key).Select(each => each.Value));
    }

    private static async Task<Dictionary<long, int>> ReadAsync(SimApplication application, OrleansLogClient client)
    {
        Dictionary<long, int> read = [];
        await using var consumer = client.CreateConsumer<int, int>(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        consumer.Assign([SimCluster.Partition]);
        await foreach (var record in consumer.ConsumeAsync())
        {
            application.Trace($"reads {record.Value} at {record.Offset}");
            Assert.True(record.Offset.Value == read.Count, $"offset {record.Offset} was read after {read.Count - 1}");
            read.Add(record.Offset.Value, record.Value);
            if (record.Value == End) break;
        }

        return read;
    }

    private static void CrashLeader(SimCluster cluster)
    {
        var leader = cluster.Find(cluster.PeekPartition()!.Record.Leader);
        leader.Crash();
        cluster.Scheduler.After(2_000_000, leader.Start);
    }
}
