using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Transport;

/// <summary>A request whose body is one message.</summary>
internal sealed class MessageRequest<TResponse>(IRequest<TResponse> message, short versionMin, int holdMsMax) : OutgoingRequest
    where TResponse : class, IResponse, new()
{
    private static readonly ApiVersionRange Versions = Apis.Find(TResponse.Api)
        ?? throw new InvalidOperationException($"{TResponse.Api} has no layout.");

    public override ApiKey Api => TResponse.Api;

    public override short VersionMin => Math.Max(Versions.Min, versionMin);

    public override short VersionMax => Versions.Max;

    public override int HoldMsMax => holdMsMax;

    public override void WriteBody(short version, FrameBuilder destination)
    {
        var writer = new WireWriter(destination, version, Versions.IsFlexible(version));
        message.Describe(ref writer);
        writer.Flush();
    }

    public static TResponse ReadBody(ResponseFrame frame)
    {
        var reader = new WireReader(frame.Body, frame.Version, Versions.IsFlexible(frame.Version));
        return reader.Read<TResponse>();
    }
}

internal static class TransportMessages
{
    /// <summary>
    /// Sends a message and reads the answer. Byte fields of the answer are copies of nobody: they live in a frame that
    /// is left to the garbage collector, so that they may be kept.
    /// </summary>
    /// <exception cref="OrleansLogException">As <see cref="IClusterTransport.SendAsync"/>; also when the answer is malformed.</exception>
    public static async ValueTask<TResponse> SendAsync<TResponse>(
        this IClusterTransport transport,
        BrokerId broker,
        Lane lane,
        IRequest<TResponse> message,
        CancellationToken cancellationToken,
        int holdMsMax = 0,
        short versionMin = 0) where TResponse : class, IResponse, new()
    {
        var request = new MessageRequest<TResponse>(message, versionMin, holdMsMax);
        var frame = await transport.SendAsync(broker, lane, request, cancellationToken);
        try
        {
            return MessageRequest<TResponse>.ReadBody(frame);
        }
        catch (MalformedMessageException e)
        {
            throw new OrleansLogException(ErrorCode.CorruptMessage,
                $"The answer of broker {broker} to {TResponse.Api} version {frame.Version} cannot be read: {e.Message}", e);
        }
    }
}
