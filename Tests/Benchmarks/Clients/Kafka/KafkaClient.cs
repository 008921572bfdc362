using System.Net;
using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks.Clients.Kafka;

/// <summary>
/// The Kafka protocol by hand (https://kafka.apache.org/protocol), in versions that brokers from 2.4 to 4.x all know:
/// CreateTopics 2, DeleteTopics 1, Metadata 4, Produce 7, Fetch 11, ListOffsets 1.
/// </summary>
/// <param name="endPoint">The broker.</param>
/// <param name="flush">How a topic is told to flush.</param>
/// <param name="replicas">
/// The brokers that hold a new topic, its leader (the broker of <paramref name="endPoint"/>) first; producers then ask for
/// acks=all. None to leave both to the broker, with acks=1.
/// </param>
internal sealed class KafkaClient(IPEndPoint endPoint, FlushConfig flush, params int[] replicas) : IBrokerClient
{
    private const short CreateTopicsKey = 19, DeleteTopicsKey = 20, MetadataKey = 3, ListOffsetsKey = 2;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    public void CreateTopic(string topic, Durability durability)
    {
        using var connection = new Connection(endPoint);
        var config = flush.For(durability);
        var request = new KafkaWriter().Begin(CreateTopicsKey, 2).Int32(1).String(topic);
        Assign(request);
        request.Int32(config is null ? 0 : 1);
        if (config is not null)
        {
            request.String("flush.messages").String(config);
        }

        connection.Send(request.Int32(30_000).Int8(0).End());
        var response = ReadResponse(connection);
        _ = response.Int32(); // throttle time
        if (response.Int32() != 1)
        {
            throw new BrokerException("CreateTopics answered for another number of topics");
        }

        _ = response.String();
        var error = response.Int16();
        if (error != 0)
        {
            throw new BrokerException($"CreateTopics of {topic}: error {error} {response.String()}");
        }

        AwaitLeader(connection, topic);
    }

    private void Assign(KafkaWriter request)
    {
        if (replicas.Length == 0)
        {
            request.Int32(1).Int16(1).Int32(0);
            return;
        }

        request.Int32(-1).Int16(-1).Int32(1).Int32(0).Int32(replicas.Length);
        Array.ForEach(replicas, id => request.Int32(id));
    }

    public void DeleteTopic(string topic)
    {
        using var connection = new Connection(endPoint);
        connection.Send(new KafkaWriter().Begin(DeleteTopicsKey, 1).Int32(1).String(topic).Int32(30_000).End());
        _ = ReadResponse(connection);
    }

    /// <summary>One Metadata request for no topic: an answer means that the broker serves.</summary>
    public static void Ping(IPEndPoint endPoint)
    {
        using var connection = new Connection(endPoint, bufferBytes: 4096);
        connection.Send(new KafkaWriter().Begin(MetadataKey, 4).Int32(0).Int8(0).End());
        _ = ReadResponse(connection);
    }

    /// <summary>The offset after the last record of partition 0 (ListOffsets 1, timestamp -1).</summary>
    public long EndOffset(string topic)
    {
        using var connection = new Connection(endPoint, bufferBytes: 4096);
        connection.Send(new KafkaWriter().Begin(ListOffsetsKey, 1).Int32(-1).Int32(1).String(topic).Int32(1).Int32(0).Int64(-1).End());
        var response = ReadResponse(connection);
        _ = response.Int32();
        _ = response.String();
        _ = response.Int32();
        _ = response.Int32();
        var error = response.Int16();
        _ = response.Int64();
        return error == 0 ? response.Int64() : throw new BrokerException($"ListOffsets of {topic}: error {error}");
    }

    public IProducerLink OpenProducer(string topic, ProducerShape shape) => new KafkaProducerLink(endPoint, topic, shape, acks: replicas.Length == 0 ? (short)1 : (short)-1);

    public IConsumerLink OpenConsumer(string topic, int fetchBytes) => new KafkaConsumerLink(endPoint, topic, fetchBytes);

    /// <summary>Blocks until one whole response is there; the reader starts after its header and is valid until the next read.</summary>
    public static KafkaReader ReadResponse(Connection connection)
    {
        var size = new KafkaReader(connection.Need(4)).Int32();
        var frame = connection.Need(4 + size)[..(4 + size)];
        connection.Consume(4 + size);
        return new KafkaReader(frame[8..]);
    }

    private static void AwaitLeader(Connection connection, string topic)
    {
        for (var deadline = DateTime.UtcNow + LongestWait; !HasLeader(connection, topic);)
        {
            if (DateTime.UtcNow > deadline)
            {
                throw new BrokerException($"partition 0 of {topic} has no leader after {LongestWait.TotalSeconds} s");
            }
        }
    }

    private static bool HasLeader(Connection connection, string topic)
    {
        connection.Send(new KafkaWriter().Begin(MetadataKey, 4).Int32(1).String(topic).Int8(0).End());
        var response = ReadResponse(connection);
        _ = response.Int32();
        for (var brokers = response.Int32(); brokers > 0; brokers--)
        {
            _ = response.Int32();
            _ = response.String();
            _ = response.Int32();
            _ = response.String();
        }

        _ = response.String(); // cluster id
        _ = response.Int32(); // controller
        _ = response.Int32(); // topics, one
        var topicError = response.Int16();
        _ = response.String();
        _ = response.Int8();
        var partitions = response.Int32();
        var partitionError = partitions > 0 ? response.Int16() : (short)-1;
        return topicError == 0 && partitionError == 0;
    }
}

/// <summary>The topic setting flush.messages that stands for a durability; null leaves the broker's default.</summary>
internal sealed record FlushConfig(string? NoFlush, string? Flush)
{
    /// <summary>Apache Kafka never flushes by default.</summary>
    public static readonly FlushConfig ApacheKafka = new(null, "1");

    /// <summary>OrleansLog flushes before it acknowledges by default.</summary>
    public static readonly FlushConfig OrleansLog = new("9223372036854775807", null);

    public string? For(Durability durability) => durability == Durability.Flush ? Flush : NoFlush;
}
