using OrleansLog.Broker.Partitions;
using OrleansLog.Compression;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.UnitTests.Support;
using static OrleansLog.UnitTests.Support.ClusterScript;

namespace OrleansLog.UnitTests.Broker;

/// <summary>Compacted topics in a cluster, each replica of which is compacted by itself.</summary>
public sealed class CompactedTopicTests
{
    private static readonly (string, string)[] Compacted =
        [("cleanup.policy", "compact"), ("segment.ms", "1"), ("min.cleanable.dirty.ratio", "0"), ("delete.retention.ms", "0")];

    [Fact]
    public async Task A_follower_that_was_away_goes_on_with_what_is_left_and_keeps_no_deleted_key()
    {
        await using var cluster = await TestCluster.StartAsync(3, ("log.cleaner.backoff.ms", "20"));
        await CreateAsync(cluster, "profiles", 3, Compacted);
        var first = cluster.RecordOf("profiles");
        await ProduceKeyedAsync(cluster, "profiles", "a=1", "b=1", "c=1");
        await cluster.Engine.KillAsync(first.Replicas[2]);
        await cluster.UntilAsync("profiles", record => record.InSync.Length == 2);
        var away = new Offset(3);
        await ProduceKeyedAsync(cluster, "profiles", "a=", "b=2");
        // Whatever leads has forgotten that a was there, and that it was deleted.
        await UntilAsync(cluster, first.Leader, partition => partition.Log.TombstonesGoneBefore > away);

        await cluster.Engine.StartAsync(first.Replicas[2]);
        await cluster.UntilAsync("profiles", record => record.IsInSync(first.Replicas[2]));
        await ProduceKeyedAsync(cluster, "profiles", "d=1");

        var end = cluster.Broker(first.Leader).Partitions.Find(new("profiles", 0))!.Log.LogEndOffset;
        foreach (var replica in first.Replicas)
        {
            var partition = await UntilAsync(cluster, replica, partition => partition.Log.LogEndOffset >= end, nudge: false);
            var last = LastValues(partition);
            Assert.Equal(("2", "1", "1"), (last["b"], last["c"], last["d"]));
            Assert.DoesNotContain("a", last.Keys);
            Assert.Null(partition.Log.CheckAll());
        }
    }

    [Fact]
    public async Task Several_cleaners_share_the_logs_and_each_is_compacted_as_by_one()
    {
        await using var cluster = await TestCluster.StartAsync(1, ("log.cleaner.backoff.ms", "1"), ("log.cleaner.threads", "3"));
        string[] topics = ["profiles", "accounts", "carts", "places"];
        foreach (var topic in topics)
        {
            await CreateAsync(cluster, topic, 1, Compacted);
            await ProduceKeyedAsync(cluster, topic, "a=1", $"b={topic}", "a=");
        }

        foreach (var topic in topics)
        {
            var partition = await UntilAsync(cluster, new(0), partition => !LastValues(partition).ContainsKey("a"), topic: topic);
            Assert.Equal(topic, LastValues(partition)["b"]);
            Assert.Null(partition.Log.CheckAll());
        }
    }

    [Fact]
    public async Task Records_without_a_key_are_refused()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        await CreateAsync(cluster, "profiles", 1, Compacted);
        await using var client = await cluster.ConnectAsync(new(0));
        Assert.Equal(ErrorCode.InvalidRecord, (await client.ProduceAsync("profiles", Batches.Of("no key"))).ErrorCode);
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("profiles", Batches.Keyed("a=1"))).ErrorCode);
        foreach (var type in (CompressionType[])[CompressionType.Gzip, CompressionType.Lz4, CompressionType.Snappy, CompressionType.Zstd])
        {
            Assert.Equal(ErrorCode.None, (await client.ProduceAsync("profiles", Batches.Keyed(CompressionCodecs.For(type), ["a=1", "=2"]))).ErrorCode);
            Assert.Equal(ErrorCode.InvalidRecord, (await client.ProduceAsync("profiles", WithoutKey(type))).ErrorCode);
        }
    }

    [Fact]
    public async Task A_topic_is_not_compacted_and_kept_in_remote_storage_both()
    {
        using var store = new TemporaryDirectory();
        await using var cluster = await TestCluster.StartAsync(1, ("remote.storage.directory", store.Path));
        await using var client = await cluster.ConnectAsync(new(0));
        Assert.Equal(ErrorCode.InvalidConfig, (await client.CreateTopicAsync("profiles", 1, 1, ("cleanup.policy", "compact"), ("remote.storage.enable", "true"))).ErrorCode);
    }

    private static byte[] WithoutKey(CompressionType type)
    {
        using var builder = new RecordBatchBuilder(1 << 20);
        builder.TryAppend(1_000, [1], keyIsNull: false, [1], valueIsNull: false, []);
        builder.TryAppend(1_000, [], keyIsNull: true, [1], valueIsNull: false, []);
        return builder.Build(CompressionCodecs.For(type)).ToArray();
    }

    private static async Task ProduceKeyedAsync(TestCluster cluster, string topic, params string[] records)
    {
        foreach (var record in records)
        {
            var error = ErrorCode.NotLeaderOrFollower;
            while (error == ErrorCode.NotLeaderOrFollower)
            {
                var led = await cluster.UntilAsync(topic, record => record.Leader != BrokerId.None);
                await using var client = await cluster.ConnectAsync(led.Leader);
                error = (await client.ProduceAsync(topic, Batches.Keyed(record))).ErrorCode;
            }
            Assert.Equal(ErrorCode.None, error);
        }
    }

    // Each record begins a segment, so that those before can be compacted.
    private static async Task<Partition> UntilAsync(TestCluster cluster, BrokerId broker, Func<Partition, bool> isReached, bool nudge = true, string topic = "profiles")
    {
        while (true)
        {
            if (cluster.Broker(broker).Partitions.Find(new(topic, 0)) is { } partition && isReached(partition))
                return partition;
            if (nudge)
                await ProduceKeyedAsync(cluster, topic, "nudge=1");
            else
                await Task.Delay(10);
        }
    }

    private static Dictionary<string, string> LastValues(Partition partition)
    {
        var last = new Dictionary<string, string>();
        for (var from = partition.Log.LogStartOffset; from < partition.Log.LogEndOffset;)
        {
            var read = partition.Log.Read(from, 1 << 20, partition.Log.LogEndOffset);
            var bytes = new byte[read.Slice.Length];
            read.Slice.Read(bytes);
            foreach (var batch in new RecordBatchEnumerator(bytes))
            {
                var reader = new RecordReader(batch.Header, batch.Records);
                while (reader.TryRead(out var record))
                    last[System.Text.Encoding.UTF8.GetString(record.Key)] = System.Text.Encoding.UTF8.GetString(record.Value);
                from = batch.Header.NextOffset;
            }
        }
        return last;
    }

    private sealed class TemporaryDirectory : IDisposable
    {
        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("orleanslog-store-");

        public string Path => _directory.FullName;

        public void Dispose() => _directory.Delete(recursive: true);
    }
}
