using OrleansLog.Protocol;
using OrleansLog.Storage;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Broker;

public sealed class EmbeddedEngineTests : IDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("orleanslog-engine-");

    public void Dispose() => _data.Delete(recursive: true);

    [Fact]
    public async Task Everything_is_there_again_after_a_restart()
    {
        await using (var broker = await TestBroker.StartAsync(_data.FullName))
        {
            await using var client = await broker.ConnectAsync();
            await client.CreateTopicAsync("orders", config: ("max.message.bytes", "900"));
            await client.ProduceAsync("orders", Batches.Of("a", "b"));
        }

        await using var again = await TestBroker.StartAsync(_data.FullName);
        await using var reader = await again.ConnectAsync();
        Assert.Equal(["0:a", "1:b"], Batches.Read((await reader.FetchAsync("orders", 0)).Records!.Value));
        Assert.Equal(2, (await reader.ProduceAsync("orders", Batches.Of("c"))).BaseOffset);
        Assert.Equal(ErrorCode.MessageTooLarge, (await reader.ProduceAsync("orders", Batches.OfSize(1000))).ErrorCode);
    }

    [Fact]
    public async Task The_cluster_keeps_its_id()
    {
        string first;
        await using (var broker = await TestBroker.StartAsync(_data.FullName))
            first = broker.Broker.Cluster.ClusterId;
        await using var again = await TestBroker.StartAsync(_data.FullName);
        Assert.Equal(first, again.Broker.Cluster.ClusterId);
    }

    [Fact]
    public async Task A_data_directory_has_one_owner_at_a_time()
    {
        await using var owner = await TestBroker.StartAsync(_data.FullName);

        var refused = await Assert.ThrowsAsync<DirectoryInUseException>(() => TestBroker.StartAsync(_data.FullName));

        Assert.Contains($"{Environment.ProcessId}", refused.Message);
    }

    [Fact]
    public async Task A_data_directory_of_a_later_format_is_refused()
    {
        await (await TestBroker.StartAsync(_data.FullName)).DisposeAsync();
        var record = Path.Combine(_data.FullName, "metadata", "cluster.json");
        File.WriteAllText(record, File.ReadAllText(record).Replace("\"formatVersion\": 2", "\"formatVersion\": 7", StringComparison.Ordinal));

        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => TestBroker.StartAsync(_data.FullName));

        Assert.Contains("format 7", refused.Message);
    }

    [Fact]
    public async Task A_deletion_that_a_crash_cut_short_is_finished_at_the_next_start()
    {
        await using (var broker = await TestBroker.StartAsync(_data.FullName))
        {
            await using var client = await broker.ConnectAsync();
            await client.CreateTopicAsync("orders");
            await client.ProduceAsync("orders", Batches.Of("a"));
        }
        var record = Path.Combine(_data.FullName, "metadata", "topics", "orders.json");
        File.WriteAllText(record, File.ReadAllText(record).Replace("\"Active\"", "\"Deleting\"", StringComparison.Ordinal));

        await using var again = await TestBroker.StartAsync(_data.FullName);

        Assert.Null(again.Broker.Cluster.FindTopic("orders"));
        Assert.False(File.Exists(record));
        Assert.False(Directory.Exists(Path.Combine(_data.FullName, "broker-0", "orders-0")));
    }
}
