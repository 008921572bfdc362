namespace OrleansLog.Client;

/// <summary>
/// Writes records of keys and values, over a <see cref="Producer"/> of bytes whose rules apply. A null reference as key
/// or value is sent as null.
/// </summary>
public sealed partial class Producer<TKey, TValue> : IAsyncDisposable
{
    /// <summary>The producer of bytes that this one writes through; records of both keep their order.</summary>
    public Producer Bytes { get; } = null!;

    /// <inheritdoc cref="Producer.ProduceAsync(string, in OutgoingRecord, CancellationToken)"/>
    public ValueTask<RecordMetadata> ProduceAsync(string topic, TKey key, TValue value, CancellationToken cancellationToken = default) =>
        ProduceAsync(topic, new OutgoingRecord<TKey, TValue>(key, value), cancellationToken);

    /// <inheritdoc cref="Producer.ProduceAsync(string, in OutgoingRecord, CancellationToken)"/>
    public ValueTask<RecordMetadata> ProduceAsync(string topic, in OutgoingRecord<TKey, TValue> record, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <inheritdoc cref="Producer.TryPost(string, in OutgoingRecord)"/>
    public bool TryPost(string topic, TKey key, TValue value) => TryPost(topic, new OutgoingRecord<TKey, TValue>(key, value));

    /// <inheritdoc cref="Producer.TryPost(string, in OutgoingRecord)"/>
    public bool TryPost(string topic, in OutgoingRecord<TKey, TValue> record) => throw new NotSupportedException();

    /// <inheritdoc cref="Producer.PostAsync"/>
    public ValueTask PostAsync(string topic, in OutgoingRecord<TKey, TValue> record, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <inheritdoc cref="Producer.FlushAsync"/>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => Bytes.FlushAsync(cancellationToken);

    /// <inheritdoc cref="Producer.DisposeAsync"/>
    public ValueTask DisposeAsync() => Bytes.DisposeAsync();
}
