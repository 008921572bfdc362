using System.Net;
using System.Text;
using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks.Clients.Redis;

/// <summary>Redis Streams: a topic is a key, a record an entry of one field. Durability is the server's affair.</summary>
internal sealed class RedisClient(IPEndPoint endPoint) : IBrokerClient
{
    public void CreateTopic(string topic, Durability durability)
    {
        // XADD makes the key.
    }

    public void DeleteTopic(string topic)
    {
        using var connection = new Connection(endPoint);
        connection.Send(Encoding.UTF8.GetBytes($"DEL {topic}\r\n"));
        _ = new RespReader(connection).ReadNumber(':');
    }

    public IProducerLink OpenProducer(string topic, ProducerShape shape) => new RedisProducerLink(endPoint, topic, shape);

    public IConsumerLink OpenConsumer(string topic, int fetchBytes) => new RedisConsumerLink(endPoint, topic, fetchBytes);
}
