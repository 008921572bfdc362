using System.Buffers;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Simulation.Applications;

/// <summary>A request as it travels.</summary>
internal readonly record struct SimRequest(ApiKey Api, short Version, byte[] Body)
{
    private bool IsFlexible => Apis.IsFlexible(Api, Version);

    public T Read<T>()
        where T : class, IMessage, new()
    {
        var reader = new WireReader(Body, Version, IsFlexible);
        return reader.Read<T>();
    }

    /// <summary>The request as a Kafka endpoint gets it, but for its length.</summary>
    public ReadOnlyMemory<byte> Frame()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(output);
        new RequestHeader(Api, Version, CorrelationId: 0, ClientId: null).Write(ref writer);
        writer.Flush();
        output.Write(Body);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>What comes after the header of the frame that a Kafka endpoint answers with.</summary>
    public byte[] BodyOf(ReadOnlyMemory<byte> frame)
    {
        var reader = new WireReader(frame);
        ResponseHeader.Read(ref reader, Api, Version);
        return frame[reader.Position..].ToArray();
    }

    /// <summary>The answer as it travels.</summary>
    public byte[] Answer<T>(T message)
        where T : class, IMessage
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(output, Version, IsFlexible);
        writer.Write(message);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }
}
