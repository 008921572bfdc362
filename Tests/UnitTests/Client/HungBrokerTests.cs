using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.UnitTests.Support;
using static OrleansLog.UnitTests.Support.ClusterScript;

namespace OrleansLog.UnitTests.Client;

/// <summary>Brokers that hold their connections and say nothing any more, while the cluster goes on without them.</summary>
public sealed class HungBrokerTests
{
    private const int LongMs = 600_000;

    [Fact]
    public async Task A_producer_goes_on_with_the_new_leader_long_before_its_request_times_out()
    {
        await using var cluster = await TestCluster.StartAsync(3, ("broker.session.timeout.ms", "100"));
        await CreateAsync(cluster, "orders", 3);
        var leader = cluster.LeaderOf("orders");
        await using var client = new OrleansLogClient(new ClientOptions { BootstrapServers = cluster.BootstrapFrom(leader), RequestTimeoutMs = LongMs });
        await using var producer = client.CreateProducer(new ProducerOptions { RequestTimeoutMs = LongMs, DeliveryTimeoutMs = 3 * LongMs });
        await producer.ProduceAsync("orders", "a"u8);

        await cluster.Engine.PauseAsync(leader);
        var metadata = await producer.ProduceAsync("orders", "b"u8).AsTask().WaitAsync(TimeSpan.FromMinutes(1));

        Assert.NotEqual(leader, cluster.LeaderOf("orders"));
        Assert.True(metadata.Offset >= new Offset(1));
    }
}
