using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

/// <summary>The socket transport against a scripted peer on the loopback.</summary>
public sealed class BrokerConnectionTests : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ManualClock _clock = new();
    private readonly OrleansLogClient _client;
    private Socket? _peer;

    public BrokerConnectionTests()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _client = new OrleansLogClient(
            new ClientOptions { BootstrapServers = $"127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}", ResponseBytesMax = 1024 * 1024, OperationTimeoutMs = 100_000 },
            time: _clock);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _peer?.Dispose();
        _listener.Dispose();
    }

    [Fact]
    public async Task A_broker_that_does_not_know_the_latest_handshake_is_asked_in_version_0()
    {
        var listing = _client.Admin.ListTopicsAsync();
        await AcceptAsync();
        var first = await ReadAsync();
        await AnswerAsync(first, 0, new ApiVersionsResponse { ErrorCode = ErrorCode.UnsupportedVersion });
        var second = await ReadAsync();
        Assert.Equal((ApiKey.ApiVersions, (short)0), (second.ApiKey, second.ApiVersion));
        await AnswerAsync(second, 0, Versions(metadataMax: 4));
        var third = await ReadAsync();
        Assert.Equal((ApiKey.Metadata, (short)4), (third.ApiKey, third.ApiVersion));
        await AnswerAsync(third, 4, new MetadataResponse { Topics = [new() { Name = "t" }] });
        Assert.Equal("t", Assert.Single(await listing).Name);
    }

    [Fact]
    public async Task A_request_that_the_broker_does_not_know_says_so()
    {
        var listing = _client.Admin.ListTopicsAsync();
        await HandshakeAsync(new ApiVersionsResponse { ApiKeys = [new() { ApiKey = (short)ApiKey.ApiVersions, MaxVersion = 3 }] });
        var failure = await Assert.ThrowsAsync<OrleansLogException>(() => listing);
        Assert.Equal(ErrorCode.UnsupportedVersion, failure.ErrorCode);
        Assert.Contains("no Metadata", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(-1)]
    [InlineData(2 * 1024 * 1024)]
    public async Task A_frame_of_a_senseless_length_ends_the_connection_and_the_call_goes_on_over_another(int length)
    {
        var listing = _client.Admin.ListTopicsAsync();
        await HandshakeAsync(Versions());
        await ReadAsync();
        var prefix = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(prefix, length);
        await _peer!.SendAsync(prefix);
        await FinishOverAnotherConnectionAsync(listing);
    }

    [Fact]
    public async Task A_connection_that_breaks_is_replaced()
    {
        var listing = _client.Admin.ListTopicsAsync();
        await HandshakeAsync(Versions());
        await ReadAsync();
        _peer!.Dispose();
        await FinishOverAnotherConnectionAsync(listing);
    }

    [Fact]
    public async Task A_broker_that_falls_silent_is_given_up()
    {
        var listing = _client.Admin.ListTopicsAsync();
        await HandshakeAsync(Versions());
        await ReadAsync();
        _clock.AdvanceMs(30_500);
        await FinishOverAnotherConnectionAsync(listing);
    }

    [Fact]
    public async Task An_answer_to_another_request_ends_the_connection()
    {
        var listing = _client.Admin.ListTopicsAsync();
        await HandshakeAsync(Versions());
        var request = await ReadAsync();
        await AnswerAsync(request with { CorrelationId = request.CorrelationId + 7 }, 12, new MetadataResponse());
        await FinishOverAnotherConnectionAsync(listing);
    }

    [Theory]
    [InlineData("")]
    [InlineData("host:0")]
    [InlineData("host:x")]
    [InlineData("host:70000")]
    public void A_senseless_bootstrap_list_is_refused(string servers) => Assert.Throws<ArgumentException>(() => new OrleansLogClient(servers));

    private async Task FinishOverAnotherConnectionAsync(Task<IReadOnlyList<TopicListing>> listing)
    {
        var accepting = _listener.AcceptAsync();
        await _clock.AdvanceUntilAsync(accepting, stepMs: 1);
        _peer = await accepting;
        await AnswerAsync(await ReadAsync(), 3, Versions());
        // The retry also refreshes what the client knows of the cluster, so more than one question comes.
        for (var reading = ReadAsync(); await Task.WhenAny(reading, listing) == reading; reading = ReadAsync())
        {
            await AnswerAsync(await reading, 12, new MetadataResponse { Topics = [new() { Name = "again" }] });
        }
        Assert.Equal("again", Assert.Single(await listing).Name);
    }

    private async Task AcceptAsync() => _peer = await _listener.AcceptAsync();

    private async Task HandshakeAsync(ApiVersionsResponse versions)
    {
        await AcceptAsync();
        await AnswerAsync(await ReadAsync(), 3, versions);
    }

    private static ApiVersionsResponse Versions(short metadataMax = 12) => new()
    {
        ApiKeys = [new() { ApiKey = (short)ApiKey.ApiVersions, MaxVersion = 3 }, new() { ApiKey = (short)ApiKey.Metadata, MaxVersion = metadataMax }],
    };

    private async Task<RequestHeader> ReadAsync()
    {
        var prefix = await ReceiveAsync(4);
        var frame = await ReceiveAsync(BinaryPrimitives.ReadInt32BigEndian(prefix));
        var reader = new WireReader(frame);
        return RequestHeader.Read(ref reader);
    }

    private async Task<byte[]> ReceiveAsync(int count)
    {
        var bytes = new byte[count];
        for (var have = 0; have < count;)
        {
            var received = await _peer!.ReceiveAsync(bytes.AsMemory(have));
            Assert.True(received > 0, "the client closed the connection");
            have += received;
        }
        return bytes;
    }

    private async Task AnswerAsync<T>(RequestHeader request, short version, T message) where T : class, IMessage
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(output);
        writer.WriteInt32(0);
        new ResponseHeader(request.CorrelationId).Write(ref writer, request.ApiKey, version);
        writer.Write(message);
        writer.Flush();
        var frame = output.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - 4);
        await _peer!.SendAsync(frame);
    }
}
