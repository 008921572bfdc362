using System.Buffers.Binary;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Kafka;

/// <summary>Whatever a peer sends, it costs at most its own connection.</summary>
public sealed class HostilePeerTests
{
    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(-1)]
    [InlineData(200_000_000)]
    public async Task An_impossible_size_closes_the_connection(int announced)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var peer = await broker.ConnectAsync();
        var size = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(size, announced);

        await peer.SendRawAsync(size);

        Assert.Null(await peer.ReceiveFrameAsync());
        await AssertServesAsync(broker);
    }

    [Fact]
    public async Task Another_protocol_closes_the_connection()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var peer = await broker.ConnectAsync();

        await peer.SendRawAsync("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());

        Assert.Null(await peer.ReceiveFrameAsync());
        await AssertServesAsync(broker);
    }

    [Fact]
    public async Task A_request_that_ends_half_way_leaves_the_broker_as_it_was()
    {
        await using var broker = await TestBroker.StartAsync();
        await using (var peer = await broker.ConnectAsync())
        {
            var request = TestClient.Encode(new MetadataRequest { Topics = null }, 12, 1);
            var announced = new byte[sizeof(int)];
            BinaryPrimitives.WriteInt32BigEndian(announced, request.Length);
            await peer.SendRawAsync(announced.Concat(request[..^3]).ToArray());
        }

        await AssertServesAsync(broker);
    }

    [Fact]
    public async Task An_unknown_request_closes_the_connection()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var peer = await broker.ConnectAsync();

        await peer.SendFrameAsync(new byte[] { 0x03, 0xE7, 0, 0, 0, 0, 0, 1, 0xFF, 0xFF });

        Assert.Null(await peer.ReceiveFrameAsync());
        await AssertServesAsync(broker);
    }

    [Fact]
    public async Task A_client_of_the_future_is_told_which_versions_there_are()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        var header = new byte[11];
        BinaryPrimitives.WriteInt16BigEndian(header, (short)ApiKey.ApiVersions);
        BinaryPrimitives.WriteInt16BigEndian(header.AsSpan(2), 99);
        BinaryPrimitives.WriteInt16BigEndian(header.AsSpan(8), -1);

        await client.SendFrameAsync(header);

        var answer = await client.ReceiveAsync<ApiVersionsResponse>(0);
        Assert.Equal(ErrorCode.UnsupportedVersion, answer.ErrorCode);
        Assert.Contains(answer.ApiKeys, api => api.ApiKey == (short)ApiKey.ApiVersions);
        Assert.Contains(answer.ApiKeys, api => api is { ApiKey: (short)ApiKey.Produce, MinVersion: 0 });
    }

    [Fact]
    public async Task Damaged_requests_of_every_kind_cost_no_more_than_their_connection()
    {
        await using var broker = await TestBroker.StartAsync(config: ("socket.request.max.bytes", "1000000"));
        await using (var client = await broker.ConnectAsync())
            await client.CreateTopicAsync("orders");
        var random = new Random(20_261);

        for (var round = 0; round < 600; round++)
        {
            await using var peer = await broker.ConnectAsync();
            await peer.SendFrameAsync(Damaged(random, Sample(random)));
            peer.EndRequests();
            while (await peer.ReceiveFrameAsync() is not null)
            {
                // Some damage is harmless and is answered; then the broker closes its side too.
            }
        }

        await AssertServesAsync(broker);
    }

    private static byte[] Sample(Random random) => random.Next(6) switch
    {
        0 => TestClient.Encode(BrokerScript.Produce("orders", Batches.Of("a", "b")), 9, 1),
        1 => TestClient.Encode(BrokerScript.Produce("orders", Batches.Of("a", "b")), 3, 1),
        2 => TestClient.Encode(BrokerScript.Fetch("orders", 0), 12, 1),
        3 => TestClient.Encode(BrokerScript.Fetch("orders", 0), 4, 1),
        4 => TestClient.Encode(new MetadataRequest { Topics = [new() { Name = "orders" }], AllowAutoTopicCreation = false }, 9, 1),
        _ => TestClient.Encode(new ListOffsetsRequest { Topics = [new() { Name = "orders", Partitions = [new() { Timestamp = -1 }] }] }, 7, 1),
    };

    private static byte[] Damaged(Random random, byte[] frame)
    {
        if (random.Next(4) == 0)
            return frame[..random.Next(frame.Length)];
        for (var flips = random.Next(1, 6); flips > 0; flips--)
            frame[random.Next(frame.Length)] = (byte)random.Next(256);
        return frame;
    }

    private static async Task AssertServesAsync(TestBroker broker)
    {
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("alive");
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("alive", Batches.Of("a"))).ErrorCode);
    }
}
