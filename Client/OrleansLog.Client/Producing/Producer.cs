using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client;

/// <summary>
/// Writes records, as bytes. Records are gathered into a batch per partition and sent when nothing of that partition
/// is in flight, or when the batch is full. Retries keep the order of a partition's records (see
/// <see cref="ProducerOptions.BatchesInFlightPerPartitionMax"/>). A retry after a lost answer may store records twice:
/// delivery is at least once. Any thread; records of one thread to one partition keep their order.
/// </summary>
public sealed partial class Producer : IAsyncDisposable
{
    /// <summary>
    /// Appends a record to its batch and returns; what becomes of it is told to <see cref="ProducerOptions.OnDelivery"/>.
    /// Allocates nothing.
    /// </summary>
    /// <returns>False when the buffer is full or the topic not yet known: await <see cref="PostAsync"/> instead.</returns>
    public bool TryPost(string topic, in OutgoingRecord record) => throw new NotSupportedException();

    /// <inheritdoc cref="TryPost(string, in OutgoingRecord)"/>
    public bool TryPost(string topic, ReadOnlySpan<byte> value) => TryPost(topic, new OutgoingRecord { Value = value });

    /// <inheritdoc cref="TryPost(string, in OutgoingRecord)"/>
    public bool TryPost(string topic, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        TryPost(topic, new OutgoingRecord { Key = key, HasKey = true, Value = value });

    /// <summary>
    /// Appends a record to its batch, waiting for room or for the topic's metadata where it must. Completes when the
    /// record is in its batch, not when it is stored.
    /// </summary>
    /// <exception cref="OrleansLogException">No room or metadata within <see cref="ProducerOptions.BlockMsMax"/>, or the record can never be sent.</exception>
    public ValueTask PostAsync(string topic, in OutgoingRecord record, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>
    /// Writes a record and completes when it is acknowledged. Cancelling stops the wait for room or metadata; a record
    /// that is in its batch is sent whatever happens.
    /// </summary>
    /// <exception cref="OrleansLogException">The record was given up.</exception>
    public ValueTask<RecordMetadata> ProduceAsync(string topic, in OutgoingRecord record, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <inheritdoc cref="ProduceAsync(string, in OutgoingRecord, CancellationToken)"/>
    public ValueTask<RecordMetadata> ProduceAsync(string topic, ReadOnlySpan<byte> value, CancellationToken cancellationToken = default) =>
        ProduceAsync(topic, new OutgoingRecord { Value = value }, cancellationToken);

    /// <inheritdoc cref="ProduceAsync(string, in OutgoingRecord, CancellationToken)"/>
    public ValueTask<RecordMetadata> ProduceAsync(string topic, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, CancellationToken cancellationToken = default) =>
        ProduceAsync(topic, new OutgoingRecord { Key = key, HasKey = true, Value = value }, cancellationToken);

    /// <summary>Sends what waits, without lingering, and completes when all that was appended before is acknowledged or given up.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Flushes, then refuses further records.</summary>
    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
