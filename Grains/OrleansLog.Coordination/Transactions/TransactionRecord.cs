using System.Collections.Immutable;
using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Coordination.Transactions;

/// <summary>A transactional id has come to a state, or (null) is no more.</summary>
internal sealed class TransactionRecord(string transactionalId, TransactionState? state, bool isWritten = true) : StateRecord
{
    public override bool IsWritten => isWritten;

    public string TransactionalId => transactionalId;

    public TransactionState? State => state;

    public override CoordinatorRecord Encode() => new(
        VersionedCodec.Write(new TransactionLogKey { TransactionalId = transactionalId }, TransactionLogKey.LatestVersion),
        state is null ? Tombstone : VersionedCodec.Write(TransactionLogValue.Of(state), TransactionLogValue.FlexibleVersion, isFlexible: true));

    /// <summary>Reads a record; null for one of a kind or version that is not known here.</summary>
    /// <exception cref="MalformedMessageException">A known one is damaged.</exception>
    public static TransactionRecord? Read(in CoordinatorRecord record)
    {
        if (!VersionedCodec.TryReadVersion(record.Key, out var keyVersion) || keyVersion != TransactionLogKey.LatestVersion) return null;
        var id = VersionedCodec.Read<TransactionLogKey>(record.Key, keyVersion).TransactionalId;
        if (record.Value is not { } bytes) return new(id, null);
        if (!VersionedCodec.TryReadVersion(bytes, out var version) || version is < 0 or > TransactionLogValue.FlexibleVersion) return null;
        return new(id, VersionedCodec.Read<TransactionLogValue>(bytes, version, version >= TransactionLogValue.FlexibleVersion).ToState(id));
    }
}

/// <summary>Kafka's key of a transactional id in <c>__transaction_state</c>.</summary>
internal sealed class TransactionLogKey : IMessage
{
    public const short LatestVersion = 0;

    public string TransactionalId = "";

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct => codec.String(ref TransactionalId);
}

/// <summary>Kafka's value of a transactional id.</summary>
internal sealed class TransactionLogValue : IMessage
{
    /// <summary>The version from which on values may hold more than their readers know.</summary>
    public const short FlexibleVersion = 1;

    public long ProducerId;
    public long PreviousProducerId = TransactionState.NoProducerId;
    public long NextProducerId = TransactionState.NoProducerId;
    public short ProducerEpoch;
    public int TransactionTimeoutMs;
    public sbyte Status;
    public List<PartitionsSchema>? TransactionPartitions = [];
    public long LastUpdateTimestampMs;
    public long StartTimestampMs;
    public short ClientTransactionVersion;

    public static TransactionLogValue Of(TransactionState state) => new()
    {
        ProducerId = state.ProducerId,
        PreviousProducerId = state.PreviousProducerId,
        NextProducerId = state.NextProducerId,
        ProducerEpoch = state.Epoch,
        TransactionTimeoutMs = state.TimeoutMs,
        Status = (sbyte)state.Status,
        TransactionPartitions = state.Status == TransactionStatus.Empty ? null : ToTopics(state.PartitionsInOrder),
        LastUpdateTimestampMs = state.UpdatedMs,
        StartTimestampMs = state.StartMs,
        ClientTransactionVersion = state.Version,
    };

    public TransactionState ToState(string transactionalId) => new(transactionalId, ProducerId, ProducerEpoch)
    {
        PreviousProducerId = PreviousProducerId,
        NextProducerId = NextProducerId,
        Status = Enum.IsDefined((TransactionStatus)Status)
            ? (TransactionStatus)Status
            : throw new InvalidDataException($"The transactional id '{transactionalId}' has the status {Status}, which is none."),
        TimeoutMs = TransactionTimeoutMs,
        Partitions = [.. (TransactionPartitions ?? []).SelectMany(topic => topic.PartitionIds.Select(index => new TopicPartition(topic.Topic, index)))],
        StartMs = StartTimestampMs,
        UpdatedMs = LastUpdateTimestampMs,
        Version = ClientTransactionVersion,
    };

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int64(ref ProducerId);
        codec.Int16(ref ProducerEpoch);
        codec.Int32(ref TransactionTimeoutMs);
        codec.Int8(ref Status);
        codec.NullableArray(ref TransactionPartitions);
        codec.Int64(ref LastUpdateTimestampMs);
        codec.Int64(ref StartTimestampMs);
        codec.TaggedInt64(0, ref PreviousProducerId, absent: TransactionState.NoProducerId);
        codec.TaggedInt64(1, ref NextProducerId, absent: TransactionState.NoProducerId);
        codec.TaggedInt16(2, ref ClientTransactionVersion, absent: 0);
        codec.EndOfStructure();
    }

    private static List<PartitionsSchema> ToTopics(IEnumerable<TopicPartition> partitions) =>
        [.. partitions.GroupBy(partition => partition.Topic).Select(topic => new PartitionsSchema
        {
            Topic = topic.Key, PartitionIds = [.. topic.Select(partition => partition.Partition).Order()],
        })];

    internal sealed class PartitionsSchema : IMessage
    {
        public string Topic = "";
        public List<int> PartitionIds = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Topic);
            codec.Int32Array(ref PartitionIds);
            codec.EndOfStructure();
        }
    }
}
