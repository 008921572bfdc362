using System.Runtime.InteropServices;
using System.Text;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Topics;
using OrleansLog.Kafka.Connections;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Kafka.Apis;

/// <summary>
/// Produce, versions 3 to 12, by hand: batches are appended straight from the receive buffer before this returns, so
/// that requests of one connection reach the log in their order, and only the answer waits for the commit.
/// </summary>
internal sealed class ProduceApi(Broker.Broker broker)
{
    public ValueTask<ResponseFrame?> HandleAsync(RequestContext context, ref WireReader body)
    {
        body.ReadNullableString(); // The transactional id: there are no transactions to check it against.
        var acks = body.ReadInt16();
        var durability = new Durability(acks, body.ReadInt32());
        var answer = new ProduceAnswer(context.Header);
        for (var topics = body.ReadArrayCount(); topics > 0; topics--)
            AppendTopic(ref body, durability, answer);
        return acks == 0 ? Swallow(answer) : answer.EncodeWhenCommittedAsync();
    }

    // How safe the client wants its records before it is answered, and how long it waits for that.
    private readonly record struct Durability(short Acks, int TimeoutMs)
    {
        public bool IsKnown => Acks is >= -1 and <= 1;

        public bool AwaitsCommit => Acks == -1;
    }

    private void AppendTopic(ref WireReader body, Durability durability, ProduceAnswer answer)
    {
        var name = body.ReadUtf8();
        var topic = FindTopic(name);
        var topicName = topic?.Name ?? Encoding.UTF8.GetString(name);
        answer.AddTopic(topicName);
        for (var partitions = body.ReadArrayCount(); partitions > 0; partitions--)
        {
            var index = body.ReadInt32();
            // The frame lies in this connection's own receive buffer, where offsets may be written into the batches.
            var records = MemoryMarshal.AsMemory(body.ReadNullableBytes() ?? default);
            answer.AddPartition(index, Append(topic?.Find(index), new TopicPartition(topicName, index), durability, records));
            if (body.IsFlexible)
                body.SkipTaggedFields();
        }
        if (body.IsFlexible)
            body.SkipTaggedFields();
    }

    private HostedTopic? FindTopic(ReadOnlySpan<byte> name)
    {
        if (name.Length > TopicName.LengthMax)
            return null;
        Span<char> chars = stackalloc char[TopicName.LengthMax];
        return broker.Partitions.FindTopic(chars[..Encoding.UTF8.GetChars(name, chars)]);
    }

    private AppendOutcome Append(Partition? partition, TopicPartition id, Durability durability, Memory<byte> records) =>
        !durability.IsKnown ? AppendOutcome.Refused(ErrorCode.InvalidRequiredAcks)
        : partition is null ? AppendOutcome.Refused(broker.WhyNotLed(id))
        : TopicName.IsInternal(id.Topic) ? AppendOutcome.Refused(ErrorCode.InvalidTopicException)
        : partition.Append(records, durability.AwaitsCommit, durability.TimeoutMs);

    /// <summary>
    /// With <c>acks=0</c> nothing is answered. A client whose append was refused would never learn of it, so, as Kafka
    /// does, the connection is closed: that makes it refresh what it knows.
    /// </summary>
    private static ValueTask<ResponseFrame?> Swallow(ProduceAnswer answer) =>
        answer.FirstRefusal is { } refusal
            ? throw new InvalidFrameException($"A produce request with acks=0 was refused: {refusal}.")
            : default;
}
