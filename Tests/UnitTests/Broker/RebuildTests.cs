using System.Diagnostics;
using OrleansLog.Broker.Partitions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.UnitTests.Support;
using static OrleansLog.UnitTests.Support.ClusterScript;

namespace OrleansLog.UnitTests.Broker;

/// <summary>Brokers that lost their disks, and lead partitions that a remote store has.</summary>
public sealed class RebuildTests : IDisposable
{
    private const string Topic = "orders";
    private const int ValueBytes = 400_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    // Two records a segment.
    private static readonly (string, string)[] Tiered =
        [("remote.storage.enable", "true"), ("segment.bytes", "1048576"), ("local.retention.bytes", "0"), ("retention.ms", "-1")];

    private readonly DirectoryInfo _store = Directory.CreateTempSubdirectory("orleanslog-tiered-");
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("orleanslog-rebuilt-");

    public void Dispose()
    {
        _store.Delete(recursive: true);
        _data.Delete(recursive: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Where_all_disks_are_lost_the_log_goes_on_where_the_store_ends(int brokers)
    {
        string[] values;
        await using (var cluster = await StartAsync(brokers))
        {
            await CreateAsync(cluster, Topic, (short)brokers, Tiered);
            values = await FillAsync(cluster);
        }
        LoseDisks(brokers);

        await using var rebuilt = await StartAsync(brokers);
        var record = await rebuilt.UntilAsync(Topic, record => record.Leader != BrokerId.None && record.InSync.Length == brokers);
        Assert.Equal(record.UncleanEpoch, record.LeaderEpoch);
        // Of nine records the last one was only on the disks.
        Assert.Equal(values[..8], await ReadAsync(rebuilt, Topic));
        await ProduceAsync(rebuilt, Topic, "next");
        Assert.Equal(values[..8].Append("8:next"), await ReadAsync(rebuilt, Topic));
        Assert.Equal(8, await EpochEndAsync(rebuilt, epoch: 0));
    }

    [Fact]
    public async Task Nobody_leads_before_the_store_has_said_what_it_has()
    {
        string[] values;
        await using (var cluster = await StartAsync(1))
        {
            await CreateAsync(cluster, Topic, 1, Tiered);
            values = await FillAsync(cluster);
        }
        LoseDisks(1);
        var mark = Path.Combine(_store.FullName, ".orleanslog-store");
        var manifest = _store.EnumerateFiles("manifest.json", SearchOption.AllDirectories).Single();
        var content = File.ReadAllText(manifest.FullName);
        File.WriteAllText(manifest.FullName, content.Replace("\"baseOffset\": 2", "\"baseOffset\": 1", StringComparison.Ordinal));

        await using var rebuilt = await StartAsync(1);
        await using var client = await rebuilt.ConnectAsync(new(0));
        Assert.Equal(BrokerId.None, Leading(rebuilt));
        Assert.NotEqual(ErrorCode.None, (await client.ProduceAsync(Topic, Batches.Of("too soon"))).ErrorCode);
        // Nor does anybody because of an order to lead at all costs.
        await client.ElectAsync(new(Topic, 0), isUnclean: true);
        Assert.Equal(BrokerId.None, Leading(rebuilt));

        File.Move(mark, mark + "-away");
        File.WriteAllText(manifest.FullName, content);
        await client.ElectAsync(new(Topic, 0), isUnclean: true);
        Assert.Equal(BrokerId.None, Leading(rebuilt));

        File.Move(mark + "-away", mark);
        Assert.Equal(values[..8], await ReadAsync(rebuilt, Topic));
    }

    [Fact]
    public async Task A_replica_that_lags_behind_the_store_leads_only_from_where_that_ends()
    {
        await using var cluster = await StartAsync(2);
        await CreateAsync(cluster, Topic, 2, Tiered);
        await ProduceAsync(cluster, Topic, Value(0));
        var leader = cluster.LeaderOf(Topic);
        var other = new BrokerId(1 - leader.Value);
        await cluster.Engine.KillAsync(other);
        await cluster.UntilAsync(Topic, record => record.InSync.Length == 1);
        string[] values = [$"0:{Value(0)}", .. Enumerable.Range(1, 8).Select(number => $"{number}:{Value(number)}")];
        await ProduceAsync(cluster, Topic, [.. Enumerable.Range(1, 8).Select(Value)]);
        await KeepAsync(cluster.Broker(leader).Partitions.Find(new(Topic, 0))!);
        await cluster.Engine.KillAsync(leader);
        await cluster.Engine.StartAsync(other);
        await using var client = await cluster.ConnectAsync(other);

        Assert.Equal(ErrorCode.None, (await client.ElectAsync(new(Topic, 0), isUnclean: true)).ErrorCode);
        Assert.Equal(values[..8], await ReadAsync(cluster, Topic));
        await ProduceAsync(cluster, Topic, "instead");
        await cluster.Engine.StartAsync(leader);
        // Who has what was given up drops it.
        await cluster.UntilAsync(Topic, record => record.InSync.Length == 2);
        Assert.Equal(values[..8].Append("8:instead"), await ReadAsync(cluster, Topic));
    }

    [Fact]
    public async Task One_that_still_has_its_disk_is_waited_for()
    {
        await using var cluster = await StartAsync(2);
        await CreateAsync(cluster, Topic, 2, Tiered);
        var values = await FillAsync(cluster);
        await cluster.Engine.KillAsync(new(0));
        await cluster.UntilAsync(Topic, record => record.Leader == new BrokerId(1) && record.InSync.Length == 1);
        await ProduceAsync(cluster, Topic, "last");
        await cluster.Engine.KillAsync(new(1));
        Directory.Delete(Path.Combine(_data.FullName, "broker-0"), recursive: true);
        await cluster.Engine.StartAsync(new(0));
        await using (var client = await cluster.ConnectAsync(new(0)))
            Assert.NotEqual(ErrorCode.None, (await client.ProduceAsync(Topic, Batches.Of("not here"))).ErrorCode);

        await cluster.Engine.StartAsync(new(1));
        Assert.Equal(values.Append("9:last"), await ReadAsync(cluster, Topic));
    }

    private Task<TestCluster> StartAsync(int brokers) => TestCluster.StartAsync(brokers, _data.FullName, [], ("remote.storage.directory", _store.FullName));

    // Their common register is another disk's.
    private void LoseDisks(int brokers)
    {
        for (var broker = 0; broker < brokers; broker++)
            Directory.Delete(Path.Combine(_data.FullName, $"broker-{broker}"), recursive: true);
    }

    private static BrokerId Leading(TestCluster cluster) =>
        cluster.Engine.Brokers.Where(broker => broker.Partitions.Find(new(Topic, 0))!.IsLeader).Select(broker => broker.Id).FirstOrDefault(BrokerId.None);

    private static async Task<string[]> FillAsync(TestCluster cluster)
    {
        string[] values = [.. Enumerable.Range(0, 9).Select(Value)];
        await ProduceAsync(cluster, Topic, values);
        await KeepAsync(cluster.Broker(cluster.LeaderOf(Topic)).Partitions.Find(new(Topic, 0))!);
        return [.. values.Select((value, number) => $"{number}:{value}")];
    }

    private static async Task KeepAsync(Partition leader)
    {
        for (var patience = Stopwatch.StartNew(); leader.Tier?.TieredEnd != new Offset(8); await Task.Yield())
        {
            Assert.True(patience.Elapsed < Patience, $"{leader.Tier?.TieredEnd} is stored");
            await leader.TierAsync(default);
        }
        await leader.TidyAsync();
    }

    private static async Task<long> EpochEndAsync(TestCluster cluster, int epoch)
    {
        await using var client = await cluster.ConnectAsync(cluster.LeaderOf(Topic));
        var answer = await client.CallAsync(new OffsetForLeaderEpochRequest
        {
            ReplicaId = -2,
            Topics = [new() { Topic = Topic, Partitions = [new() { Partition = 0, CurrentLeaderEpoch = -1, LeaderEpoch = epoch }] }],
        });
        return answer.Topics[0].Partitions[0].EndOffset;
    }

    private static string Value(int number) => new((char)('a' + number), ValueBytes);
}
