using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Support;

/// <summary>A bare client: sends requests in any version, or any bytes at all, and reads what comes back.</summary>
internal sealed class TestClient : IAsyncDisposable
{
    private readonly NetworkStream _stream;
    private int _correlationId;

    private TestClient(Socket socket) => _stream = new NetworkStream(socket, ownsSocket: true);

    public static async Task<TestClient> ConnectAsync(IPEndPoint endPoint)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(endPoint);
        return new TestClient(socket);
    }

    public async Task<TResponse> CallAsync<TResponse>(IRequest<TResponse> request, short? version = null)
        where TResponse : class, IResponse, new()
    {
        var chosen = version ?? Apis.Find(TResponse.Api)!.Value.Max;
        await SendAsync(request, chosen);
        return await ReceiveAsync<TResponse>(chosen);
    }

    public async Task SendAsync<TResponse>(IRequest<TResponse> request, short version)
        where TResponse : class, IResponse, new() => await SendFrameAsync(Encode(request, version, ++_correlationId));

    public async Task<TResponse> ReceiveAsync<TResponse>(short version) where TResponse : class, IResponse, new()
    {
        var frame = await ReceiveFrameAsync() ?? throw new EndOfStreamException("The broker closed the connection.");
        return Decode<TResponse>(frame, version);
    }

    /// <summary>Sends the bytes of one request, with its size before it.</summary>
    public async Task SendFrameAsync(ReadOnlyMemory<byte> frame)
    {
        var size = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(size, frame.Length);
        await SendRawAsync(size.Concat(frame.ToArray()).ToArray());
    }

    public async Task SendRawAsync(ReadOnlyMemory<byte> bytes) => await _stream.WriteAsync(bytes);

    /// <summary>The next response's bytes, or null when the broker has closed the connection.</summary>
    public async Task<byte[]?> ReceiveFrameAsync()
    {
        try
        {
            var size = new byte[sizeof(int)];
            await _stream.ReadExactlyAsync(size);
            var frame = new byte[BinaryPrimitives.ReadInt32BigEndian(size)];
            await _stream.ReadExactlyAsync(frame);
            return frame;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Says that no more requests come; answers still do.</summary>
    public void EndRequests() => _stream.Socket.Shutdown(SocketShutdown.Send);

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    public static byte[] Encode<TResponse>(IRequest<TResponse> request, short version, int correlationId)
        where TResponse : class, IResponse, new()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(output);
        new RequestHeader(TResponse.Api, version, correlationId, "test").Write(ref writer);
        request.Describe(ref writer);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    private static TResponse Decode<TResponse>(byte[] frame, short version) where TResponse : class, IResponse, new()
    {
        var reader = new WireReader(frame);
        ResponseHeader.Read(ref reader, TResponse.Api, version);
        var response = reader.Read<TResponse>();
        Assert.Equal(0, reader.Remaining);
        return response;
    }
}
