using System.Net;
using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks.Clients.Nats;

/// <summary>JetStream with file storage: a topic is a stream of one subject. Durability is the server's affair.</summary>
internal sealed class NatsClient(IPEndPoint endPoint) : IBrokerClient
{
    public void CreateTopic(string topic, Durability durability)
    {
        using var connection = new NatsConnection(endPoint);
        connection.Request(
            $"$JS.API.STREAM.CREATE.{topic}",
            $$"""
            {"name":"{{topic}}","subjects":["{{topic}}"],"storage":"file","retention":"limits","num_replicas":1,
            "max_consumers":-1,"max_msgs":-1,"max_bytes":-1}
            """);
    }

    public void DeleteTopic(string topic)
    {
        using var connection = new NatsConnection(endPoint);
        connection.Request($"$JS.API.STREAM.DELETE.{topic}", "");
    }

    public IProducerLink OpenProducer(string topic, ProducerShape shape) => new NatsProducerLink(endPoint, topic, shape);

    public IConsumerLink OpenConsumer(string topic, int fetchBytes) => new NatsConsumerLink(endPoint, topic, fetchBytes);
}
