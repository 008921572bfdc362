using OrleansLog.Broker.Partitions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.UnitTests.Support;
using static OrleansLog.UnitTests.Support.ClusterScript;

namespace OrleansLog.UnitTests.Broker;

/// <summary>Topics whose segments are kept in a remote store too, through brokers and their endpoints.</summary>
public sealed class TieringTests : IDisposable
{
    private const string Topic = "orders";
    private const int ValueBytes = 400_000;
    private const int Records = 9;

    // Two records a segment.
    private static readonly (string, string)[] Tiered =
        [("remote.storage.enable", "true"), ("segment.bytes", "1048576"), ("local.retention.bytes", "0"), ("retention.ms", "-1")];

    private readonly DirectoryInfo _store = Directory.CreateTempSubdirectory("orleanslog-tiered-");

    public void Dispose() => _store.Delete(recursive: true);

    [Fact]
    public async Task Old_records_leave_the_disk_and_are_read_on_by_whoever_leads()
    {
        await using var cluster = await StartAsync(brokers: 3);
        await CreateAsync(cluster, Topic, 3, Tiered);
        var values = await FillAsync(cluster);
        Assert.Equal(new Offset(8), Leader(cluster).Log.LogStartOffset);
        Assert.Equal(values, await ReadAsync(cluster, Topic));

        var first = cluster.RecordOf(Topic);
        await cluster.Engine.KillAsync(first.Leader);
        await cluster.UntilAsync(Topic, record => record.LeaderEpoch > first.LeaderEpoch && record.Leader != first.Leader);
        await ProduceAsync(cluster, Topic, "last");

        Assert.Equal(values.Append($"{Records}:last"), await ReadAsync(cluster, Topic));
    }

    [Fact]
    public async Task Offsets_are_told_apart_by_where_they_are()
    {
        await using var cluster = await StartAsync(brokers: 1);
        await CreateAsync(cluster, Topic, 1, Tiered);
        await FillAsync(cluster);
        await using var client = await cluster.ConnectAsync(new(0));
        const long Earliest = -2, EarliestLocal = -4, LatestTiered = -5;

        Assert.Equal(0, (await client.ListOffsetAsync(Topic, Earliest)).Offset);
        Assert.Equal(8, (await client.ListOffsetAsync(Topic, EarliestLocal)).Offset);
        Assert.Equal(7, (await client.ListOffsetAsync(Topic, LatestTiered)).Offset);
        // All have the same time.
        Assert.Equal(0, (await client.ListOffsetAsync(Topic, 1_000)).Offset);
    }

    [Fact]
    public async Task Records_are_deleted_wherever_they_are_and_so_are_topics()
    {
        await using var cluster = await StartAsync(brokers: 1);
        await CreateAsync(cluster, Topic, 1, Tiered);
        await FillAsync(cluster);
        await using var client = await cluster.ConnectAsync(new(0));

        var deleted = await Leader(cluster).DeleteBeforeAsync(new Offset(5));

        Assert.Equal((ErrorCode.None, new Offset(5)), deleted);
        Assert.Equal(5, (await client.ListOffsetAsync(Topic, -2)).Offset);
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await client.FetchAsync(Topic, 4)).ErrorCode);
        Assert.StartsWith("5:", Batches.Read((await client.FetchAsync(Topic, 5, maxWaitMs: 30_000)).Records!.Value)[0], StringComparison.Ordinal);

        await client.CallAsync(new DeleteTopicsRequest { Topics = [new() { Name = Topic }], TimeoutMs = 30_000 });
        Assert.DoesNotContain(_store.EnumerateFiles("*.log", SearchOption.AllDirectories), _ => true);
    }

    [Fact]
    public async Task A_store_that_is_gone_loses_nothing_and_takes_nothing_from_the_disk()
    {
        await using var cluster = await StartAsync(brokers: 1);
        await CreateAsync(cluster, Topic, 1, Tiered);
        File.WriteAllText(Path.Combine(_store.FullName, "elsewhere"), "");
        Directory.Move(_store.FullName, _store.FullName + "-away");
        File.WriteAllText(_store.FullName, "not a directory");
        try
        {
            var values = await FillAsync(cluster);
            Assert.Equal(Offset.Zero, Leader(cluster).Log.LogStartOffset);
            File.Delete(_store.FullName);
            Directory.Move(_store.FullName + "-away", _store.FullName);
            await KeepAsync(Leader(cluster));
            Assert.Equal(new Offset(8), Leader(cluster).Log.LogStartOffset);
            Assert.Equal(values, await ReadAsync(cluster, Topic));
        }
        finally
        {
            if (File.Exists(_store.FullName)) File.Delete(_store.FullName);
            if (Directory.Exists(_store.FullName + "-away")) Directory.Move(_store.FullName + "-away", _store.FullName);
        }
    }

    [Fact]
    public async Task What_waits_for_a_store_that_is_away_stops_at_its_budget()
    {
        await using var cluster = await TestCluster.StartAsync(1, ("remote.storage.directory", _store.FullName), ("remote.storage.backlog.max.bytes", "2000000"));
        await CreateAsync(cluster, Topic, 1, Tiered);
        await CreateAsync(cluster, "elsewhere", 1);
        var mark = Path.Combine(_store.FullName, ".orleanslog-store");
        await using var client = await cluster.ConnectAsync(new(0));
        await ProduceAsync(cluster, Topic, "before");
        await Leader(cluster).TierAsync(default);
        File.Move(mark, mark + "-away");
        // Far more than the budget: the broker notices within a second.
        var values = await FillAsync(cluster);
        var refused = await ProduceUntilAsync(client, answer => answer.ErrorCode != ErrorCode.None);

        Assert.Equal(ErrorCode.KafkaStorageError, refused.ErrorCode);
        Assert.Contains("remote.storage.backlog.max.bytes", refused.ErrorMessage, StringComparison.Ordinal);
        await ProduceAsync(cluster, "elsewhere", "taken");

        File.Move(mark + "-away", mark);
        await KeepAsync(Leader(cluster));
        await ProduceUntilAsync(client, answer => answer.ErrorCode == ErrorCode.None);
        Assert.Equal(["0:before", .. values.Select((_, number) => $"{number + 1}:{Value(number)}")], (await ReadAsync(cluster, Topic)).Take(Records + 1));
    }

    [Fact]
    public async Task A_broker_that_was_started_without_its_store_does_not_take_old_records_for_gone()
    {
        var data = Directory.CreateTempSubdirectory("orleanslog-storeless-");
        try
        {
            await using (var cluster = await TestCluster.StartAsync(1, data.FullName, [], ("remote.storage.directory", _store.FullName)))
            {
                await CreateAsync(cluster, Topic, 1, Tiered);
                await FillAsync(cluster);
            }

            await using var storeless = await TestCluster.StartAsync(1, data.FullName, []);
            await using var client = await storeless.ConnectAsync(new(0));
            Assert.Equal(ErrorCode.KafkaStorageError, (await client.FetchAsync(Topic, 0)).ErrorCode);
            Assert.Equal(ErrorCode.OffsetNotAvailable, (await client.ListOffsetAsync(Topic, -2)).ErrorCode);
            Assert.Equal(ErrorCode.None, (await client.FetchAsync(Topic, 8)).ErrorCode);
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_topic_cannot_be_kept_where_there_is_no_store()
    {
        await using var without = await TestCluster.StartAsync(1);
        await using var client = await without.ConnectAsync(new(0));
        var refused = await client.CreateTopicAsync(Topic, 1, 1, ("remote.storage.enable", "true"));
        Assert.Equal(ErrorCode.InvalidConfig, refused.ErrorCode);
        Assert.Contains("remote.storage.directory", refused.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_topic_that_is_stored_no_more_is_read_on_and_can_be_stored_again()
    {
        await using var cluster = await StartAsync(brokers: 1);
        await CreateAsync(cluster, Topic, 1, Tiered);
        var values = await FillAsync(cluster);

        Assert.Contains("remote.log.delete.on.disable", await AlterAsync(cluster, ("remote.storage.enable", "false")), StringComparison.Ordinal);
        Assert.Contains("local.retention.bytes", await AlterAsync(cluster, ("remote.copy.disable", "true")), StringComparison.Ordinal);
        Assert.Null(await AlterAsync(cluster, ("remote.copy.disable", "true"), ("local.retention.bytes", "-2")));
        await ProduceAsync(cluster, Topic, [.. Enumerable.Range(0, 4).Select(Value)]);
        await KeepAsync(Leader(cluster));
        Assert.Equal((new Offset(8), new Offset(8), 0), (Leader(cluster).Tier!.TieredEnd, Leader(cluster).Log.LogStartOffset, Leader(cluster).Tier!.BacklogInBytes));
        string[] all = [.. values, .. Enumerable.Range(0, 4).Select(number => $"{Records + number}:{Value(number)}")];
        Assert.Equal(all, await ReadAsync(cluster, Topic));

        // What is only on the disk goes when all in the store has gone, and not before.
        Assert.Null(await AlterAsync(cluster, ("remote.copy.disable", "true"), ("local.retention.bytes", "-2"), ("retention.bytes", "1100000")));
        await KeepAsync(Leader(cluster));
        Assert.Equal((new Offset(10), new Offset(10)), (Leader(cluster).LogStartOffset, Leader(cluster).Log.LogStartOffset));

        Assert.Null(await AlterAsync(cluster, ("remote.copy.disable", "false"), ("retention.bytes", "-1"), ("local.retention.bytes", "0")));
        await ProduceAsync(cluster, Topic, "last");
        await KeepAsync(Leader(cluster));
        Assert.Equal(new Offset(12), Leader(cluster).Tier!.TieredEnd);
        Assert.Equal(new Offset(10), Leader(cluster).LogStartOffset);
    }

    [Fact]
    public async Task A_topic_that_is_taken_out_of_the_store_begins_on_the_disk()
    {
        await using var cluster = await StartAsync(brokers: 1);
        await CreateAsync(cluster, Topic, 1, Tiered);
        await FillAsync(cluster);
        await using var client = await cluster.ConnectAsync(new(0));

        Assert.Null(await AlterAsync(cluster, ("remote.storage.enable", "false"), ("remote.log.delete.on.disable", "true")));
        await KeepAsync(Leader(cluster));
        Assert.Equal(8, (await client.ListOffsetAsync(Topic, -2)).Offset);
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await client.FetchAsync(Topic, 0)).ErrorCode);
        Assert.Equal(ErrorCode.None, (await client.FetchAsync(Topic, 8)).ErrorCode);
        // Who began to read has a minute; a topic that is gone has not.
        var manifest = File.ReadAllText(_store.EnumerateFiles("manifest.json", SearchOption.AllDirectories).Single().FullName);
        Assert.Contains("\"segments\": []", manifest, StringComparison.Ordinal);
        Assert.Equal(4, manifest.Split("\"sinceMs\"").Length - 1);

        Assert.Null(await AlterAsync(cluster, ("remote.storage.enable", "true"), ("local.retention.bytes", "0")));
        await ProduceAsync(cluster, Topic, Value(0), Value(1), Value(2));
        await KeepAsync(Leader(cluster));
        Assert.Equal((new Offset(8), new Offset(10)), (Leader(cluster).LogStartOffset, Leader(cluster).Tier!.TieredEnd));
        Assert.StartsWith("8:", Batches.Read((await client.FetchAsync(Topic, 8, maxWaitMs: 30_000)).Records!.Value)[0], StringComparison.Ordinal);
    }

    // Replaces some of the topic's settings; what is said against it.
    private static async Task<string?> AlterAsync(TestCluster cluster, params (string Name, string Value)[] configs)
    {
        await using var admin = await cluster.ConnectAsync(new(0));
        var answer = await admin.CallAsync(new IncrementalAlterConfigsRequest
        {
            Resources = [new() { ResourceType = 2, ResourceName = Topic, Configs = [.. configs.Select(config => new IncrementalAlterConfigsRequest.AlterableConfig { Name = config.Name, Value = config.Value })] }],
        });
        return answer.Responses[0].ErrorCode == ErrorCode.None ? null : answer.Responses[0].ErrorMessage;
    }

    private Task<TestCluster> StartAsync(int brokers) => TestCluster.StartAsync(brokers, ("remote.storage.directory", _store.FullName));

    // Produces more than four segments, and has the sealed ones go to the store and from the disk.
    private static async Task<string[]> FillAsync(TestCluster cluster)
    {
        string[] values = [.. Enumerable.Range(0, Records).Select(Value)];
        await ProduceAsync(cluster, Topic, values);
        await KeepAsync(Leader(cluster));
        return [.. values.Select((value, number) => $"{number}:{value}")];
    }

    private static string Value(int number) => new((char)('a' + number), ValueBytes);

    private static async Task<ProduceResponse.PartitionProduceResponse> ProduceUntilAsync(
        TestClient client, Func<ProduceResponse.PartitionProduceResponse, bool> isReached)
    {
        while (true)
        {
            var answer = await client.ProduceAsync(Topic, Batches.Of("small"));
            if (isReached(answer)) return answer;
        }
    }

    private static async Task KeepAsync(Partition leader)
    {
        await leader.TierAsync(default);
        await leader.TidyAsync();
    }

    private static Partition Leader(TestCluster cluster) => cluster.Broker(cluster.LeaderOf(Topic)).Partitions.Find(new(Topic, 0))!;
}
