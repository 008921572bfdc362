using System.Text;
using OrleansLog.Client;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

public sealed class PartitioningTests : IAsyncDisposable
{
    private readonly FakeCluster _cluster = new();
    private readonly OrleansLogClient _client;

    public PartitioningTests()
    {
        _cluster.CreateTopic("t", 4);
        _client = new OrleansLogClient(new ClientOptions(), _cluster, null, new ManualClock());
    }

    public async ValueTask DisposeAsync() => await _client.DisposeAsync();

    // The hashes are those of Kafka's own test of its murmur2, made positive.
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void A_key_lands_where_Kafkas_Java_client_puts_it(string key, int hash)
    {
        foreach (var count in new[] { 1, 3, 12, 1000 })
        {
            var partition = new Murmur2Partitioner().Choose("t", Encoding.UTF8.GetBytes(key), hasKey: true, count);
            Assert.Equal((hash & 0x7fffffff) % count, partition);
        }
    }

    [Fact]
    public async Task An_empty_key_is_a_key()
    {
        var producer = _client.CreateProducer();
        var first = await producer.ProduceAsync("t", ""u8, "x"u8);
        for (var i = 0; i < 10; i++) Assert.Equal(first.Partition, (await producer.ProduceAsync("t", ""u8, new byte[100_000])).Partition);
    }

    [Fact]
    public async Task Records_without_a_key_stay_together_and_then_move_on()
    {
        var producer = _client.CreateProducer();
        var few = new HashSet<int>();
        for (var i = 0; i < 10; i++) few.Add((await producer.ProduceAsync("t", new byte[100])).Partition);
        Assert.Single(few);
        var many = new HashSet<int>();
        for (var i = 0; i < 20; i++) many.Add((await producer.ProduceAsync("t", new byte[30_000])).Partition);
        Assert.Equal(4, many.Count);
    }

    [Fact]
    public async Task A_partitioner_of_ones_own_decides()
    {
        var producer = _client.CreateProducer(new ProducerOptions { Partitioner = new Last() });
        Assert.Equal(3, (await producer.ProduceAsync("t", "key"u8, "x"u8)).Partition);
    }

    [Fact]
    public async Task A_partition_that_the_record_names_wins()
    {
        var producer = _client.CreateProducer(new ProducerOptions { Partitioner = new Last() });
        Assert.Equal(1, (await producer.ProduceAsync("t", new OutgoingRecord { Value = "x"u8, Partition = 1 })).Partition);
    }

    private sealed class Last : IPartitioner
    {
        public int Choose(string topic, ReadOnlySpan<byte> key, bool hasKey, int partitionCount) => partitionCount - 1;
    }
}
