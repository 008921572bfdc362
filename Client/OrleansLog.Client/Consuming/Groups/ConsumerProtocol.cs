using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Consuming;

/// <summary>
/// What consumers tell one another through their coordinator, which passes it on unread: what each subscribes to, and
/// what the leader gives to each (Kafka's ConsumerProtocolSubscription and ConsumerProtocolAssignment, version 3).
/// </summary>
internal static class ConsumerProtocol
{
    public const string ProtocolType = "consumer";

    private const short Version = 3;

    public static byte[] WriteSubscription(IReadOnlyList<string> topics, IReadOnlyList<TopicPartition> owned, int generation, string? rack)
    {
        using var buffer = new PooledBufferWriter();
        var writer = new WireWriter(buffer);
        writer.WriteInt16(Version);
        writer.WriteArrayCount(topics.Count);
        foreach (var topic in topics) writer.WriteString(topic);
        writer.WriteBytesLength(-1);
        WritePartitions(ref writer, owned);
        writer.WriteInt32(generation);
        writer.WriteNullableString(rack);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static GroupSubscription ReadSubscription(string memberId, string? instanceId, ReadOnlyMemory<byte> bytes)
    {
        var reader = new WireReader(bytes);
        var version = reader.ReadInt16();
        List<string> topics = [];
        for (var left = reader.ReadArrayCount(); left > 0; left--) topics.Add(reader.ReadString());
        reader.ReadNullableBytes();
        var owned = version >= 1 ? ReadPartitions(ref reader) : [];
        var generation = version >= 2 ? reader.ReadInt32() : -1;
        return new GroupSubscription(memberId, instanceId, topics, owned, generation);
    }

    public static byte[] WriteAssignment(IReadOnlyList<TopicPartition> partitions)
    {
        using var buffer = new PooledBufferWriter();
        var writer = new WireWriter(buffer);
        writer.WriteInt16(Version);
        WritePartitions(ref writer, partitions);
        writer.WriteBytesLength(-1);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static List<TopicPartition> ReadAssignment(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty) return [];
        var reader = new WireReader(bytes);
        reader.ReadInt16();
        return ReadPartitions(ref reader);
    }

    private static void WritePartitions(ref WireWriter writer, IReadOnlyList<TopicPartition> partitions)
    {
        var topics = partitions.GroupBy(partition => partition.Topic).ToList();
        writer.WriteArrayCount(topics.Count);
        foreach (var topic in topics)
        {
            writer.WriteString(topic.Key);
            writer.WriteArrayCount(topic.Count());
            foreach (var partition in topic) writer.WriteInt32(partition.Partition);
        }
    }

    private static List<TopicPartition> ReadPartitions(ref WireReader reader)
    {
        List<TopicPartition> partitions = [];
        for (var topics = reader.ReadArrayCount(); topics > 0; topics--)
        {
            var topic = reader.ReadString();
            for (var left = reader.ReadArrayCount(); left > 0; left--) partitions.Add(new TopicPartition(topic, reader.ReadInt32()));
        }
        return partitions;
    }
}
