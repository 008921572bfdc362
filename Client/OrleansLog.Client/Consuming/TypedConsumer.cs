using OrleansLog.Client.Consuming;
using OrleansLog.Client.Metadata;

namespace OrleansLog.Client;

/// <summary>A <see cref="Consumer"/> that also reads record by record, as keys and values.</summary>
public sealed class Consumer<TKey, TValue> : Consumer
{
    private readonly IDeserializer<TKey> _keyDeserializer;
    private readonly IDeserializer<TValue> _valueDeserializer;
    private RecordScan? _scan;

    internal Consumer(Cluster cluster, ConsumerOptions options, IDeserializer<TKey> keyDeserializer, IDeserializer<TValue> valueDeserializer)
        : base(cluster, options) => (_keyDeserializer, _valueDeserializer) = (keyDeserializer, valueDeserializer);

    /// <summary>
    /// Reads records in the order of each partition. Ends only by cancellation
    /// (<see cref="OperationCanceledException"/>) or error. What a deserializer throws comes out here; reading again
    /// goes on behind the record that it was about.
    /// </summary>
    public IAsyncEnumerable<ConsumedRecord<TKey, TValue>> ConsumeAsync(CancellationToken cancellationToken = default) =>
        new RecordStream(this, cancellationToken);

    private sealed class RecordStream(Consumer<TKey, TValue> consumer, CancellationToken cancellationToken) : IAsyncEnumerable<ConsumedRecord<TKey, TValue>>
    {
        public IAsyncEnumerator<ConsumedRecord<TKey, TValue>> GetAsyncEnumerator(CancellationToken other = default)
        {
            consumer.BeginReading();
            return new RecordEnumerator(consumer, CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, other));
        }
    }

    // Written out rather than an async iterator: most records are there already, and then a step is a plain call.
    private sealed class RecordEnumerator(Consumer<TKey, TValue> consumer, CancellationTokenSource stop) : IAsyncEnumerator<ConsumedRecord<TKey, TValue>>
    {
        private readonly CancellationToken _stopped = stop.Token;
        private ConsumedRecord<TKey, TValue> _current;

        public ConsumedRecord<TKey, TValue> Current => _current;

        public ValueTask<bool> MoveNextAsync()
        {
            _stopped.ThrowIfCancellationRequested();
            if (!consumer.IsInterrupted && consumer._scan is { } scan && scan.Fetched.IsCurrent && TryStep(scan)) return new ValueTask<bool>(true);
            return MoveOnAsync();
        }

        public ValueTask DisposeAsync()
        {
            consumer.EndReading();
            stop.Dispose();
            return default;
        }

        private bool TryStep(RecordScan scan)
        {
            var state = scan.Fetched.State;
            state.Processed = state.Position;
            if (!scan.TryRead(out var record)) return false;
            state.Position = record.Offset + 1;
            scan.RecordsRead++;
            _current = consumer.ToRecord(scan, record);
            return true;
        }

        private async ValueTask<bool> MoveOnAsync()
        {
            while (true)
            {
                if (consumer._scan is { } scan && scan.Fetched.IsCurrent)
                {
                    // Interrupted within a batch: what is due may take the partition away, or not.
                    scan.Fetched.State.Processed = scan.Fetched.State.Position;
                    if (consumer.IsInterrupted) await consumer.AttendAsync(_stopped);
                    if (scan.Fetched.IsCurrent && TryStep(scan)) break;
                }
                consumer.CountConsumed();
                consumer._scan = null;
                var batch = await consumer.NextAsync(_stopped);
                if (batch.IsCurrent) consumer._scan = new RecordScan(batch);
            }
            consumer.NoteHandedOut();
            return true;
        }
    }

    private void CountConsumed()
    {
        if (_scan is { } scan) Telemetry.ConsumerTelemetry.CountConsumed(Options, scan.Fetched, scan.RecordsRead);
    }

    private ConsumedRecord<TKey, TValue> ToRecord(RecordScan scan, in ScannedRecord record) => new()
    {
        TopicPartition = scan.Fetched.Partition,
        Offset = new Protocol.Offset(record.Offset),
        TimestampMs = record.TimestampMs,
        Key = record.HasKey ? _keyDeserializer.Deserialize(record.Key) : default,
        HasKey = record.HasKey,
        Value = record.HasValue ? _valueDeserializer.Deserialize(record.Value) : default,
        IsTombstone = !record.HasValue,
        Headers = scan.ReadHeaders(record),
    };
}
