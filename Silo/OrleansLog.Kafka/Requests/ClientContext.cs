using System.Net;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Kafka.Requests;

/// <summary>Who sends, for as long as the connection lives.</summary>
/// <param name="Address">The peer's address.</param>
/// <param name="Closed">Cancelled when the connection ends: nobody waits for an answer any more.</param>
internal sealed record ClientContext(IPAddress Address, CancellationToken Closed);

/// <summary>One request apart from its body.</summary>
internal readonly record struct RequestContext(RequestHeader Header, ClientContext Client)
{
    public short Version => Header.ApiVersion;

    public CancellationToken Closed => Client.Closed;
}
