using System.Buffers.Binary;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Transport;

/// <summary>
/// Asks a broker what it speaks. The question goes out in the latest version; a broker that does not know it says so in
/// version 0, whatever was asked, and is asked again in that version (KIP-511).
/// </summary>
internal static class Handshake
{
    /// <param name="ask">Sends a question over a connection and brings the answer.</param>
    /// <param name="endpoint">Where the connection leads, for messages.</param>
    public static async Task<VersionTable> NegotiateAsync(Func<OutgoingRequest, ValueTask<ResponseFrame>> ask, string endpoint)
    {
        using var first = await ask(new Question(Apis.Find(ApiKey.ApiVersions)!.Value.Max));
        if (ErrorOf(first) != ErrorCode.UnsupportedVersion) return Read(first, endpoint);
        using var second = await ask(new Question(0));
        return Read(second, endpoint);
    }

    private static ErrorCode ErrorOf(ResponseFrame frame) =>
        (ErrorCode)BinaryPrimitives.ReadInt16BigEndian(frame.Body.Span);

    private static VersionTable Read(ResponseFrame frame, string endpoint)
    {
        var response = MessageRequest<ApiVersionsResponse>.ReadBody(frame);
        if (response.ErrorCode == ErrorCode.None) return VersionTable.From(response);
        throw new OrleansLogException(response.ErrorCode,
            $"The broker at {endpoint} does not say which versions it speaks: {response.ErrorCode}. Check that a Kafka listener without TLS or SASL is there.");
    }

    private sealed class Question(short version) : OutgoingRequest
    {
        public override ApiKey Api => ApiKey.ApiVersions;
        public override short VersionMin => version;
        public override short VersionMax => version;

        public override void WriteBody(short version, FrameBuilder destination)
        {
            var writer = new WireWriter(destination, version, Apis.IsFlexible(ApiKey.ApiVersions, version));
            var software = typeof(OrleansLogClient).Assembly.GetName().Version;
            writer.Write(new ApiVersionsRequest { ClientSoftwareName = "orleanslog", ClientSoftwareVersion = software?.ToString(3) ?? "0" });
            writer.Flush();
        }
    }
}
