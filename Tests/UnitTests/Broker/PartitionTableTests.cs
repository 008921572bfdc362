using OrleansLog.Broker.Partitions;
using OrleansLog.Protocol;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Broker;

public sealed class PartitionTableTests : IDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("orleanslog-table-");

    [Fact]
    public async Task No_partition_is_lost_when_many_are_added_side_by_side()
    {
        const int Partitions = 5_000;
        await using var broker = await TestBroker.StartAsync(_data.FullName);
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("narrow");
        var model = broker.Broker.Partitions.Find(new TopicPartition("narrow", 0))!;
        var topic = new HostedTopic("wide", Guid.NewGuid());

        Parallel.For(0, Partitions, new ParallelOptions { MaxDegreeOfParallelism = 8 }, index => topic.Set(index, model));

        Assert.All(Enumerable.Range(0, Partitions), index => Assert.NotNull(topic.Find(index)));
    }

    public void Dispose() => _data.Delete(recursive: true);
}
