using System.Buffers;
using System.Net;
using OrleansLog.Kafka.Connections;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol.Wire;
using ApiCatalogue = OrleansLog.Protocol.Wire.Apis;

namespace OrleansLog.Kafka;

/// <summary>Handles Kafka requests that come by another way than a socket. Any thread.</summary>
/// <param name="broker">Who handles them.</param>
public sealed class KafkaRequests(Broker.Broker broker)
{
    private readonly ApiDispatcher _dispatcher = ApiDispatcher.For(broker, forwarder: null);

    /// <summary>Handles one request.</summary>
    /// <param name="request">
    /// A request frame without its length prefix. Offsets are written into the batches of a produce request, so the bytes must
    /// be the caller's to give.
    /// </param>
    /// <param name="cancellationToken">Nobody waits for the answer any more.</param>
    /// <returns>
    /// The response frame without its length prefix, in an array of the shared pool that is the caller's to give back;
    /// default for a request that has no answer.
    /// </returns>
    /// <exception cref="IOException">The bytes are not a request that is served here.</exception>
    public async ValueTask<ArraySegment<byte>> HandleAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _dispatcher.DispatchAsync(request, new ClientContext(IPAddress.Loopback, cancellationToken));
            return response is null ? default : Copy(response);
        }
        catch (Exception malformed) when (malformed is InvalidFrameException or MalformedMessageException)
        {
            throw new IOException(malformed.Message, malformed);
        }
    }

    /// <summary>Handles a request that is at hand as a message.</summary>
    /// <param name="request">The request.</param>
    /// <param name="version">The version whose meaning counts; null for the latest.</param>
    /// <param name="cancellationToken">Nobody waits for the answer any more.</param>
    public async ValueTask<TResponse> AskAsync<TResponse>(IRequest<TResponse> request, short? version = null, CancellationToken cancellationToken = default)
        where TResponse : class, IResponse, new()
    {
        var chosen = version ?? ApiCatalogue.Find(TResponse.Api)!.Value.Max;
        // Byte fields of the answer lie in the array, which is therefore not given back.
        return Decode<TResponse>(await HandleAsync(Encode(request, chosen), cancellationToken), chosen);
    }

    private static ArraySegment<byte> Copy(ResponseFrame response)
    {
        var length = checked((int)(response.Length - sizeof(int)));
        var rented = ArrayPool<byte>.Shared.Rent(length);
        response.CopyTo(rented.AsSpan(0, length));
        return new(rented, 0, length);
    }

    private static ReadOnlyMemory<byte> Encode<TResponse>(IRequest<TResponse> request, short version) where TResponse : class, IResponse, new()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(output);
        new RequestHeader(TResponse.Api, version, CorrelationId: 0, ClientId: null).Write(ref writer);
        request.Describe(ref writer);
        writer.Flush();
        return output.WrittenMemory;
    }

    private static TResponse Decode<TResponse>(ReadOnlyMemory<byte> frame, short version) where TResponse : class, IResponse, new()
    {
        var reader = new WireReader(frame);
        ResponseHeader.Read(ref reader, TResponse.Api, version);
        return reader.Read<TResponse>();
    }
}
