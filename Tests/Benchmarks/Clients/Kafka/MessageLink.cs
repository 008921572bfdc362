using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Benchmarks.Clients.Kafka;

/// <summary>A connection that carries whole protocol messages, for requests of which the layout is not what is measured.</summary>
internal sealed class MessageLink(IPEndPoint endPoint) : IDisposable
{
    private readonly Connection _connection = new(endPoint);
    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <summary>Sends a request and waits for its answer.</summary>
    public TResponse Ask<TResponse>(IRequest<TResponse> request, ApiKey api, short version)
        where TResponse : class, IResponse, new()
    {
        Send(request, api, version);
        return Receive<TResponse>(api, version);
    }

    public void Send<TResponse>(IRequest<TResponse> request, ApiKey api, short version)
        where TResponse : class, IResponse, new()
    {
        _buffer.ResetWrittenCount();
        _buffer.GetSpan(4);
        _buffer.Advance(4);
        var writer = new WireWriter(_buffer);
        new RequestHeader(api, version, 0, "bench").Write(ref writer);
        request.Describe(ref writer);
        writer.Flush();
        var frame = _buffer.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - 4);
        _connection.Send(frame);
    }

    /// <summary>Waits for the next answer. Answers come in the order of the requests.</summary>
    public TResponse Receive<TResponse>(ApiKey api, short version) where TResponse : class, IResponse, new()
    {
        var size = BinaryPrimitives.ReadInt32BigEndian(_connection.Need(4));
        var frame = _connection.Need(4 + size)[4..(4 + size)].ToArray();
        _connection.Consume(4 + size);
        var reader = new WireReader(frame);
        ResponseHeader.Read(ref reader, api, version);
        return reader.Read<TResponse>();
    }

    public void Dispose() => _connection.Dispose();
}
