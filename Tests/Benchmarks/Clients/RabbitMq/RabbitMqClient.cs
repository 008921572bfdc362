using System.Net;
using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks.Clients.RabbitMq;

/// <summary>RabbitMQ streams over their own protocol; values are opaque bytes, without an AMQP envelope.</summary>
internal sealed class RabbitMqClient(IPEndPoint endPoint) : IBrokerClient
{
    public void CreateTopic(string topic, Durability durability)
    {
        using var connection = new StreamConnection(endPoint);
        connection.Request(new StreamFrame().Begin(StreamCommand.Create).Int32(1).String(topic).Int32(0));
    }

    public void DeleteTopic(string topic)
    {
        using var connection = new StreamConnection(endPoint);
        connection.Request(new StreamFrame().Begin(StreamCommand.Delete).Int32(1).String(topic));
    }

    public IProducerLink OpenProducer(string topic, ProducerShape shape) => new RabbitMqProducerLink(endPoint, topic, shape);

    public IConsumerLink OpenConsumer(string topic, int fetchBytes) => new RabbitMqConsumerLink(endPoint, topic, fetchBytes);
}
