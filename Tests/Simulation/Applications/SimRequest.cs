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
