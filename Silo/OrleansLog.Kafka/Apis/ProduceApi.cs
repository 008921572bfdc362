using System.Runtime.InteropServices;
using System.Text;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Topics;
using OrleansLog.Broker.Transactions;
using OrleansLog.Kafka.Connections;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Kafka.Apis;

/// <summary>
/// Produce, versions 3 to 12, by hand: batches are appended straight from the receive buffer before this returns, so
/// that requests of one connection reach the log in their order, and only the answer waits for the commit. The first batch of a
/// transaction waits for its coordinator before, with those of its producer that follow.
/// </summary>
internal sealed class ProduceApi(Broker.Broker broker)
{
    private const short FirstVersionThatAdds = 12;

    public ValueTask<ResponseFrame?> HandleAsync(RequestContext context, ref WireReader body)
    {
        var transactionalId = body.ReadNullableString();
        var acks = body.ReadInt16();
        var durability = new Durability(acks, body.ReadInt32()) { TransactionalId = transactionalId, MayAdd = body.Version >= FirstVersionThatAdds };
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

        public string? TransactionalId { get; init; }

        // Whether writing to a partition makes it part of the transaction (KIP-890).
        public bool MayAdd { get; init; }
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
            answer.AddPartition(index, Append(topic?.Find(index), new TopicPartition(topicName, index), durability, records, body.Version));
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

    private ValueTask<AppendOutcome> Append(Partition? partition, TopicPartition id, Durability durability, Memory<byte> records, short version)
    {
        if (!durability.IsKnown)
            return new(AppendOutcome.Refused(ErrorCode.InvalidRequiredAcks));
        if (partition is null)
            return new(AppendOutcome.Refused(broker.WhyNotLed(id)));
        if (TopicName.IsInternal(id.Topic))
            return new(AppendOutcome.Refused(ErrorCode.InvalidTopicException));
        return RecordBatchHeader.TryRead(records.Span, out var header) == ErrorCode.None && header.IsTransactional
            ? AppendTransactional(partition, header, durability, records, version)
            : new(partition.Append(records, durability.AwaitsCommit, durability.TimeoutMs));
    }

    private ValueTask<AppendOutcome> AppendTransactional(
        Partition partition, in RecordBatchHeader header, Durability durability, Memory<byte> records, short version)
    {
        if (durability.TransactionalId is not { } id)
            return new(AppendOutcome.Refused(ErrorCode.TransactionalIdAuthorizationFailed));
        if (!durability.AwaitsCommit)
            return new(AppendOutcome.Refused(ErrorCode.InvalidRequiredAcks));
        var transaction = new OpenTransaction(id, header.ProducerId, header.ProducerEpoch, durability.MayAdd);
        return partition.AppendAsync(records, transaction, durability.TimeoutMs, async () =>
        {
            var verdict = await broker.Verification.VerifyAsync(transaction, partition.Id, CancellationToken.None);
            return verdict with { Error = TransactionErrors.ForProduce(verdict.Error, version) };
        });
    }

    /// <summary>
    /// With <c>acks=0</c> nothing is answered. A client whose append was refused would never learn of it, so, as Kafka
    /// does, the connection is closed: that makes it refresh what it knows.
    /// </summary>
    private static ValueTask<ResponseFrame?> Swallow(ProduceAnswer answer) =>
        answer.FirstRefusal is { } refusal
            ? throw new InvalidFrameException($"A produce request with acks=0 was refused: {refusal}.")
            : default;
}
