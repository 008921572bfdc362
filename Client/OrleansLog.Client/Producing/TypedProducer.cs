using System.Runtime.InteropServices;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client;

/// <summary>
/// Writes records of keys and values, over a <see cref="Producer"/> of bytes whose rules apply. A null reference as key
/// or value is sent as null.
/// </summary>
public sealed class Producer<TKey, TValue> : IAsyncDisposable
{
    private const int ScratchBytesKeptMax = 64 * 1024;

    [ThreadStatic]
    private static PooledBufferWriter? _scratch;

    private readonly ISerializer<TKey> _keySerializer;
    private readonly ISerializer<TValue> _valueSerializer;

    internal Producer(Producer bytes, ISerializer<TKey> keySerializer, ISerializer<TValue> valueSerializer) =>
        (Bytes, _keySerializer, _valueSerializer) = (bytes, keySerializer, valueSerializer);

    /// <summary>The producer of bytes that this one writes through; records of both keep their order.</summary>
    public Producer Bytes { get; }

    /// <inheritdoc cref="Producer.ProduceAsync(string, in OutgoingRecord, CancellationToken)"/>
    public ValueTask<RecordMetadata> ProduceAsync(string topic, TKey? key, TValue? value, CancellationToken cancellationToken = default) =>
        ProduceAsync(topic, new OutgoingRecord<TKey, TValue>(key, value), cancellationToken);

    /// <inheritdoc cref="Producer.ProduceAsync(string, in OutgoingRecord, CancellationToken)"/>
    public ValueTask<RecordMetadata> ProduceAsync(string topic, in OutgoingRecord<TKey, TValue> record, CancellationToken cancellationToken = default)
    {
        var scratch = TakeScratch();
        var delivery = Bytes.ProduceAsync(topic, Serialize(record, scratch), cancellationToken);
        PutScratch(scratch);
        return delivery;
    }

    /// <inheritdoc cref="Producer.TryPost(string, in OutgoingRecord)"/>
    public bool TryPost(string topic, TKey? key, TValue? value) => TryPost(topic, new OutgoingRecord<TKey, TValue>(key, value));

    /// <inheritdoc cref="Producer.TryPost(string, in OutgoingRecord)"/>
    public bool TryPost(string topic, in OutgoingRecord<TKey, TValue> record)
    {
        var scratch = TakeScratch();
        var isPosted = Bytes.TryPost(topic, Serialize(record, scratch));
        PutScratch(scratch);
        return isPosted;
    }

    /// <inheritdoc cref="Producer.PostAsync"/>
    public ValueTask PostAsync(string topic, in OutgoingRecord<TKey, TValue> record, CancellationToken cancellationToken = default)
    {
        var scratch = TakeScratch();
        var posted = Bytes.PostAsync(topic, Serialize(record, scratch), cancellationToken);
        PutScratch(scratch);
        return posted;
    }

    /// <inheritdoc cref="Producer.FlushAsync"/>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => Bytes.FlushAsync(cancellationToken);

    /// <inheritdoc cref="Producer.BeginTransaction"/>
    public Transaction BeginTransaction() => Bytes.BeginTransaction();

    /// <inheritdoc cref="Producer.DisposeAsync"/>
    public ValueTask DisposeAsync() => Bytes.DisposeAsync();

    private OutgoingRecord Serialize(in OutgoingRecord<TKey, TValue> record, PooledBufferWriter scratch)
    {
        if (record.Key is not null) _keySerializer.Serialize(record.Key, scratch);
        var keyLength = scratch.WrittenCount;
        if (record.Value is not null) _valueSerializer.Serialize(record.Value, scratch);
        return new OutgoingRecord
        {
            Key = scratch.WrittenSpan[..keyLength],
            HasKey = record.Key is not null,
            Value = scratch.WrittenSpan[keyLength..],
            IsTombstone = record.Value is null,
            Partition = record.Partition,
            TimestampMs = record.Timestamp?.ToUnixTimeMilliseconds(),
            Headers = HeadersOf(record.Headers),
        };
    }

    private static ReadOnlySpan<RecordHeader> HeadersOf(IReadOnlyList<RecordHeader>? headers) => headers switch
    {
        null => [],
        RecordHeader[] array => array,
        List<RecordHeader> list => CollectionsMarshal.AsSpan(list),
        _ => headers.ToArray(),
    };

    // A serializer may itself produce; then it finds no scratch here and gets another.
    private static PooledBufferWriter TakeScratch()
    {
        var scratch = _scratch ?? new PooledBufferWriter();
        _scratch = null;
        return scratch;
    }

    private static void PutScratch(PooledBufferWriter scratch)
    {
        scratch.Clear(ScratchBytesKeptMax);
        _scratch = scratch;
    }
}
