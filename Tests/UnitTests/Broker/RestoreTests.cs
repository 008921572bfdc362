using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Broker.Restoring;
using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Silo.Http;
using OrleansLog.Silo.Metrics;
using OrleansLog.UnitTests.Cli;
using OrleansLog.UnitTests.Support;
using static OrleansLog.UnitTests.Support.ClusterScript;

namespace OrleansLog.UnitTests.Broker;

/// <summary>Whole clusters that are lost with all their disks, and come back from their remote store alone.</summary>
public sealed class RestoreTests : IDisposable
{
    private const string Topic = "orders";
    private const int ValueBytes = 400_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    // Two records a segment.
    private static readonly (string, string)[] Tiered =
        [("remote.storage.enable", "true"), ("segment.bytes", "1048576"), ("local.retention.bytes", "0"), ("retention.ms", "-1")];

    private readonly DirectoryInfo _store = Directory.CreateTempSubdirectory("orleanslog-tiered-");

    public void Dispose() => _store.Delete(recursive: true);

    [Fact]
    public async Task A_cluster_comes_back_with_topics_records_and_committed_offsets()
    {
        var (values, before) = await LoseClusterAsync(async cluster =>
        {
            await CreateAsync(cluster, "plain", 1, 3, ("retention.ms", "12345"));
            await using var client = NewClient(cluster);
            await client.Admin.AlterGroupOffsetsAsync("readers", [Position(Topic, 5) with { Metadata = "a note", LeaderEpoch = new(0) }]);
            await client.Admin.AlterGroupOffsetsAsync("ahead", [Position(Topic, 9), Position("plain", 0)]);
        });
        await using var cluster = await StartAsync();
        await using var http = await ServeAsync(cluster);

        var early = await RestoreAsync(cluster, http);
        Assert.Equal(1, early.ExitCode);
        Assert.Contains("sign of life", early.Error, StringComparison.Ordinal);
        Assert.Matches("orders +0 +0 +7 ", (await RestoreAsync(cluster, http, "--dry-run")).Text);
        Assert.Empty(cluster.Engine.Cluster.Image.Topics);

        var restored = await RestoreAsync(cluster, http, "--owner-is-dead");
        Assert.True(restored.ExitCode == 0, restored.Error);
        Assert.Contains("Topics that are back: 2.", restored.Text, StringComparison.Ordinal);
        Assert.Contains("at the end of what is left: 1.", restored.Text, StringComparison.Ordinal);

        var image = cluster.Engine.Cluster.Image;
        Assert.Equal(before.FindTopic(Topic)!.Id, image.FindTopic(Topic)!.Id);
        Assert.Equal(before.FindTopic("plain")!.Config, image.FindTopic("plain")!.Config);
        Assert.Equal(3, image.FindTopic("plain")!.Partitions.Length);
        // Of nine records the last one was only on the disks.
        Assert.Equal(values[..8], await ReadAsync(cluster, Topic));
        await ProduceAsync(cluster, Topic, "next");
        Assert.Equal(values[..8].Append("8:next"), await ReadAsync(cluster, Topic));
        await using var reader = NewClient(cluster);
        Assert.Equal(Position(Topic, 5) with { Metadata = "a note", LeaderEpoch = new(0) }, Assert.Single(await reader.Admin.ListGroupOffsetsAsync("readers")));
        Assert.Equal([Position(Topic, 8), Position("plain", 0)], (await reader.Admin.ListGroupOffsetsAsync("ahead")).OrderBy(each => each.Partition.Topic));

        // It keeps its own there now, and could be lost again.
        await BackedUpAsync(cluster);
        var again = await RestoreAsync(cluster, http, "--owner-is-dead");
        Assert.Contains("belongs to this cluster", again.Error, StringComparison.Ordinal);
        var status = await OlogScript.RunAsync($"tier status --http http://127.0.0.1:{http.Port} --bootstrap {cluster.BootstrapFrom(new(0))}");
        Assert.Matches(@"topics as of \d{4}-.*, committed offsets as of \d{4}-", status.Text);
    }

    [Fact]
    public async Task A_restore_that_was_cut_short_goes_on()
    {
        var (values, before) = await LoseClusterAsync(cluster => CreateAsync(cluster, "another", 1));
        await using (var cutShort = await StartAsync())
        {
            await foreach (var step in RestoreOf(cutShort).RunAsync(mayLive: true, mayLack: false, default))
            {
                Assert.Equal(("another", 1, 2), (step.Topic, step.Done, step.Of));
                break;
            }
            await Assert.ThrowsAsync<RestoreRefusedException>(async () => await CutShortAsync());

            async Task CutShortAsync()
            {
                // It has a topic by now that is none of those.
                await CreateAsync(cutShort, "other", 1);
                await RunAsync(cutShort);
            }
        }

        // What was begun in one cluster may be ended in another.
        await using var cluster = await StartAsync();
        await RunAsync(cluster);
        await RunAsync(cluster);
        Assert.Equal(before.FindTopic(Topic)!.Id, cluster.Engine.Cluster.Image.FindTopic(Topic)!.Id);
        Assert.Equal(values[..8], await ReadAsync(cluster, Topic));
        await RestoreOf(cluster).EndAsync(default);
        await Assert.ThrowsAsync<RestoreRefusedException>(() => RunAsync(cluster));
    }

    [Fact]
    public async Task A_store_of_another_cluster_is_left_alone()
    {
        await LoseClusterAsync(_ => Task.CompletedTask);
        var files = FilesOf();
        await using var other = await StartAsync();
        await using var client = await other.ConnectAsync(new(0));

        var refused = await client.CreateTopicAsync("tiered", 1, 1, ("remote.storage.enable", "true"));

        Assert.Equal(ErrorCode.InvalidConfig, refused.ErrorCode);
        Assert.Contains("belongs to cluster", refused.ErrorMessage, StringComparison.Ordinal);
        Assert.Contains("olog restore", refused.ErrorMessage, StringComparison.Ordinal);
        Assert.Equal(ErrorCode.None, (await client.CreateTopicAsync("plain", 1, 1)).ErrorCode);
        var broker = Assert.Single(other.Engine.Brokers);
        await UntilAsync(() => Housekept(broker), "its housekeeping went on");
        Assert.Equal(files, FilesOf());
        Assert.Contains("topics of its own (plain)", (await RestoreOf(other).PlanAsync(default)).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cluster_that_was_given_up_and_lives_changes_nothing_any_more()
    {
        var data = Directory.CreateTempSubdirectory("orleanslog-given-up-");
        try
        {
            var (values, _) = await LoseClusterAsync(_ => Task.CompletedTask, data.FullName);
            await using var cluster = await StartAsync();
            await RunAsync(cluster);
            await RestoreOf(cluster).EndAsync(default);
            await BackedUpAsync(cluster);

            await using var zombie = await StartAsync(data.FullName);
            await ProduceAsync(zombie, Topic, [.. Enumerable.Range(0, 5).Select(Value)]);
            var files = FilesOf().Where(file => !file.StartsWith("cluster/", StringComparison.Ordinal)).ToList();
            var leader = zombie.Broker(new(0)).Partitions.Find(new(Topic, 0))!;
            await leader.TierAsync(default);
            await leader.TidyAsync();

            Assert.Equal(files, FilesOf().Where(file => !file.StartsWith("cluster/", StringComparison.Ordinal)));
            Assert.Null(leader.Tier!.Manifest);
            Assert.Equal(values[..8], await ReadAsync(cluster, Topic));
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task What_was_deleted_or_altered_is_named_before_anything_is_done()
    {
        var (values, _) = await LoseClusterAsync(_ => Task.CompletedTask);
        var segments = _store.EnumerateFiles("*.log", SearchOption.AllDirectories).OrderBy(file => file.Name, StringComparer.Ordinal).ToList();
        segments[0].Delete();
        using (var cut = segments[2].OpenWrite())
            cut.SetLength(cut.Length - 1);
        await using var cluster = await StartAsync();

        Assert.Equal("2 of 4 segments are missing or of another length, so that offsets from 0 to 1 and others could not be read", (await RestoreOf(cluster).PlanAsync(default)).Topics[0].Partitions[0].Damage);
        await Assert.ThrowsAsync<RestoreRefusedException>(() => RunAsync(cluster));
        Assert.Empty(cluster.Engine.Cluster.Image.Topics);

        await RunAsync(cluster, mayLack: true);
        await cluster.UntilAsync(Topic, record => record.Leader != BrokerId.None);
        await using var client = await cluster.ConnectAsync(new(0));
        Assert.Equal(values[2], Batches.Read((await FetchAsync(client, 2)).Records!.Value)[0]);
        Assert.Equal(ErrorCode.KafkaStorageError, (await FetchAsync(client, 0)).ErrorCode);
        // The part that is cut is not what it should be.
        Assert.Equal(ErrorCode.CorruptMessage, (await FetchAsync(client, 5)).ErrorCode);
    }

    [Theory]
    [InlineData("topics.json", "which topics there were cannot be told")]
    [InlineData("owner.json", "whose store it is cannot be told")]
    public async Task A_document_that_somebody_altered_is_not_believed(string name, string expected)
    {
        await LoseClusterAsync(_ => Task.CompletedTask);
        var path = Path.Combine(_store.FullName, "cluster", name);
        File.WriteAllText(path, File.ReadAllText(path).Replace("clusterId", "clusterID", StringComparison.Ordinal));
        await using var cluster = await StartAsync();
        Assert.Contains(expected, (await Assert.ThrowsAsync<IOException>(() => RestoreOf(cluster).PlanAsync(default))).Message, StringComparison.Ordinal);
        Assert.Contains(expected, (await Assert.ThrowsAsync<IOException>(() => RunAsync(cluster))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_store_holds_nothing_to_restore()
    {
        await using var cluster = await StartAsync();
        Assert.Contains("nothing to restore", (await RestoreOf(cluster).PlanAsync(default)).Refusal, StringComparison.Ordinal);
        await using var http = await ServeAsync(cluster);
        var run = await RestoreAsync(cluster, http);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("nothing to restore", run.Error, StringComparison.Ordinal);
    }

    private Task<TestCluster> StartAsync(string? data = null) => TestCluster.StartAsync(
        1, data, [], ("remote.storage.directory", _store.FullName), ("remote.storage.backup.interval.ms", "1"), ("offsets.topic.num.partitions", "3"));

    // A cluster with a topic of nine records, eight of them in the store, and whatever else, that is no more.
    private async Task<(string[] Values, OrleansLog.Broker.Metadata.ClusterImage Image)> LoseClusterAsync(Func<TestCluster, Task> more, string? data = null)
    {
        await using var cluster = await StartAsync(data);
        await CreateAsync(cluster, Topic, 1, Tiered);
        string[] values = [.. Enumerable.Range(0, 9).Select(Value)];
        await ProduceAsync(cluster, Topic, values);
        var leader = cluster.Broker(new(0)).Partitions.Find(new(Topic, 0))!;
        await UntilAsync(() => leader.Tier?.Manifest is not null, "the store was asked");
        await leader.TierAsync(default);
        await leader.TidyAsync();
        await more(cluster);
        await BackedUpAsync(cluster);
        return ([.. values.Select((value, number) => $"{number}:{value}")], cluster.Engine.Cluster.Image);
    }

    // All that is there by now is in the store as well.
    private static async Task BackedUpAsync(TestCluster cluster)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var broker = cluster.Broker(new(0));
        await UntilAsync(() => broker.BackupStatus is { Failure: null, TopicsAtMs: { } topics, OffsetsAtMs: { } offsets } && topics > now && offsets > now, "what there is was backed up");
    }

    private static bool Housekept(OrleansLog.Broker.Broker broker) => broker.BackupStatus is not null;

    private static async Task UntilAsync(Func<bool> isReached, string what)
    {
        for (var patience = Stopwatch.StartNew(); !isReached(); await Task.Yield())
            Assert.True(patience.Elapsed < Patience, $"It is not so that {what}.");
    }

    private static ClusterRestore RestoreOf(TestCluster cluster) => cluster.Broker(new(0)).Restore!;

    private static async Task RunAsync(TestCluster cluster, bool mayLack = false)
    {
        await foreach (var step in RestoreOf(cluster).RunAsync(mayLive: true, mayLack, default))
            Assert.Null(step.Note);
    }

    private static async Task<HttpEndpoint> ServeAsync(TestCluster cluster)
    {
        var http = await HttpEndpoint.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), new Health(), new MetricCollector(static _ => false), NullLoggerFactory.Instance, default);
        http.FindBroker = () => cluster.Broker(new(0));
        return http;
    }

    private static Task<OlogResult> RestoreAsync(TestCluster cluster, HttpEndpoint http, string options = "") =>
        OlogScript.RunAsync($"restore {options} --http http://127.0.0.1:{http.Port} --bootstrap {cluster.BootstrapFrom(new(0))}");

    private static OrleansLogClient NewClient(TestCluster cluster) => new(new ClientOptions { BootstrapServers = cluster.BootstrapFrom(new(0)) });

    private static TopicPartitionOffset Position(string topic, long offset) => new(new(topic, 0), new(offset));

    // An answer that waits for the store ends with what came of it, or empty.
    private static async Task<FetchResponse.PartitionData> FetchAsync(TestClient client, long offset)
    {
        while (true)
        {
            var answer = await client.FetchAsync(Topic, offset, maxWaitMs: 30_000);
            if (answer.ErrorCode is not (ErrorCode.None or ErrorCode.NotLeaderOrFollower) || answer.Records is { Length: > 0 })
                return answer;
        }
    }

    private List<string> FilesOf() =>
        [.. _store.EnumerateFiles("*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(_store.FullName, file.FullName)).Where(name => !name.EndsWith(".lock", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static string Value(int number) => new((char)('a' + number), ValueBytes);
}
