using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

public sealed class OldBrokerTests
{
    [Fact]
    public Task Kafka_2_4_is_spoken_to_in_its_versions() => RoundTripAsync(new FakeCluster().As24());

    [Fact]
    public Task The_oldest_versions_do() => RoundTripAsync(new FakeCluster().AsOldest());

    private static async Task RoundTripAsync(FakeCluster cluster)
    {
        await using var client = new OrleansLogClient(new ClientOptions(), cluster, null, new ManualClock());
        await client.Admin.CreateTopicAsync(new NewTopic("t", 2));
        await using (var producer = client.CreateProducer<string, string>())
        {
            for (var i = 0; i < 10; i++) await producer.ProduceAsync("t", $"k{i}", $"{i}");
        }
        await using (var consumer = client.CreateConsumer<string, string>(new ConsumerOptions { GroupId = "g", OffsetReset = OffsetReset.Earliest }))
        {
            consumer.Subscribe("t");
            Assert.Equal(10, (await ConsumerReadingTests.ReadAsync(consumer, 10)).Count);
            await consumer.CommitAsync();
        }
        Assert.Equal(10, cluster.Committed.Values.Sum());
        var committed = await client.Admin.ListGroupOffsetsAsync("g", [new TopicPartition("t", 0), new TopicPartition("t", 1)]);
        Assert.Equal(10, committed.Sum(position => position.Offset.Value));
        Assert.Empty(cluster.Members);
    }
}
