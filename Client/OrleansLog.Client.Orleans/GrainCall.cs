using OrleansLog.Client.Transport;
using OrleansLog.Grains;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Orleans;

/// <summary>A request on its way through a grain call.</summary>
/// <param name="Response">Who waits.</param>
/// <param name="Request">The request's frame, without a length prefix.</param>
internal sealed record GrainCall(PendingResponse Response, byte[] Request)
{
    // What changes topics or moves their replicas; over the wire, brokers pass it on.
    private static readonly HashSet<ApiKey> ForController =
    [
        ApiKey.CreateTopics, ApiKey.DeleteTopics, ApiKey.CreatePartitions, ApiKey.AlterConfigs, ApiKey.IncrementalAlterConfigs,
        ApiKey.AlterPartitionReassignments, ApiKey.ElectLeaders, ApiKey.UnregisterBroker,
    ];

    /// <summary>Whether it is for the controller, whichever broker that is at the time.</summary>
    public bool IsForController => ForController.Contains(Response.Api);

    /// <summary>The answer from a response frame without its length prefix.</summary>
    /// <exception cref="MalformedMessageException">The bytes are not one.</exception>
    /// <exception cref="InvalidDataException">It answers something else.</exception>
    public ResponseFrame ReadAnswer(Payload frame)
    {
        if (!Response.ExpectsResponse) return ResponseFrame.None;
        var reader = new WireReader(frame.Bytes);
        var header = ResponseHeader.Read(ref reader, Response.Api, Response.Version);
        if (header.CorrelationId != Response.CorrelationId)
            throw new InvalidDataException($"it answered request {header.CorrelationId} where {Response.CorrelationId} was asked");
        return frame.TryTakeRented(out var rented)
            ? new ResponseFrame(Response.Version, rented, reader.Position, frame.Length - reader.Position)
            : new ResponseFrame(Response.Version, frame.Bytes[reader.Position..]);
    }
}
