using OrleansLog.Benchmarks.Clients;
using OrleansLog.Benchmarks.Peers;
using OrleansLog.Client.Transport;

namespace OrleansLog.Benchmarks.Grains;

/// <summary>The same requests as over the Kafka endpoint, in grain calls. Topics are made over the endpoint.</summary>
internal sealed class GrainClient(IClusterTransport transport, IBrokerClient endpoint) : IBrokerClient
{
    public void CreateTopic(string topic, Durability durability) => endpoint.CreateTopic(topic, durability);

    public void DeleteTopic(string topic) => endpoint.DeleteTopic(topic);

    public IProducerLink OpenProducer(string topic, ProducerShape shape) => new GrainProducerLink(transport, topic, shape);

    public IConsumerLink OpenConsumer(string topic, int fetchBytes) => new GrainConsumerLink(transport, topic, fetchBytes);
}
