using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace OrleansLog.Benchmarks.Clients.Nats;

/// <summary>
/// An ordered push consumer (ADR-17 of the NATS architecture records): no acknowledgements, flow control, state in
/// memory. The server stops until each of its flow control requests has been answered.
/// </summary>
internal sealed class NatsConsumerLink : IConsumerLink
{
    private readonly NatsConnection _connection;

    public NatsConsumerLink(IPEndPoint endPoint, string topic, int fetchBytes)
    {
        _connection = new NatsConnection(endPoint, 2 * fetchBytes);
        var inbox = NatsConnection.NewInbox();
        _connection.Request(
            $"$JS.API.CONSUMER.CREATE.{topic}",
            $$$"""
            {"stream_name":"{{{topic}}}","config":{"deliver_subject":"{{{inbox}}}","deliver_policy":"all","ack_policy":"none",
            "max_deliver":1,"replay_policy":"instant","flow_control":true,"idle_heartbeat":500000000,"mem_storage":true,"num_replicas":1}}
            """);
        _connection.Send($"SUB {inbox} 1\r\n");
    }

    public long BytesReceived => _connection.BytesReceived;

    public int Receive(Action<long>? onStamp)
    {
        var count = 0;
        do
        {
            var message = _connection.ReadMessage();
            if (!message.Headers.IsEmpty && message.Payload.IsEmpty)
            {
                AnswerStatus(in message);
                return count;
            }

            onStamp?.Invoke(BinaryPrimitives.ReadInt64LittleEndian(message.Payload));
            count++;
        }
        while (_connection.HasLine);
        return count;
    }

    public void Dispose() => _connection.Dispose();

    // A flow control request has a reply subject; a heartbeat names it in a header when the server is stalled.
    private void AnswerStatus(in NatsMessage status)
    {
        var subject = Encoding.UTF8.GetString(status.Reply);
        const string Stalled = "Nats-Consumer-Stalled: ";
        var headers = Encoding.UTF8.GetString(status.Headers);
        var at = headers.IndexOf(Stalled, StringComparison.Ordinal);
        if (at >= 0)
        {
            subject = headers[(at + Stalled.Length)..].Split('\r')[0];
        }

        if (subject.Length > 0)
        {
            _connection.Send($"PUB {subject} 0\r\n\r\n");
        }
    }
}
