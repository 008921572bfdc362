using System.Collections.Concurrent;
using System.Diagnostics;
using OrleansLog.Client.Metadata;
using OrleansLog.Client.Producing;
using OrleansLog.Client.Telemetry;
using OrleansLog.Client.Waiting;
using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>
/// Writes records, as bytes. Records are gathered into a batch per partition and sent when nothing of that partition
/// is in flight, or when the batch is full. Retries keep the order of a partition's records (see
/// <see cref="ProducerOptions.BatchesInFlightPerPartitionMax"/>) and store none of them twice (see
/// <see cref="ProducerOptions.EnableIdempotence"/>). Any thread; records of one thread to one partition keep their order.
/// </summary>
public sealed class Producer : IAsyncDisposable
{
    private readonly ProducerState _state;
    private readonly ConcurrentDictionary<string, ProducerTopic> _topics = [];
    private ProducerTopic? _lastTopic;
    private bool _isDisposed;

    internal Producer(Cluster cluster, ProducerOptions options)
    {
        if (options.TransactionalId is not null && options is not { EnableIdempotence: true, Acks: Acks.All })
            throw new ArgumentException("A transactional producer needs Acks.All and EnableIdempotence.", nameof(options));
        _state = new ProducerState(cluster, options);
    }

    public ProducerOptions Options => _state.Options;

    /// <summary>
    /// Appends a record to its batch and returns; what becomes of it is told to <see cref="ProducerOptions.OnDelivery"/>.
    /// Allocates nothing.
    /// </summary>
    /// <returns>
    /// False when the buffer is full, the topic not yet known, or records wait for either: await <see cref="PostAsync"/>
    /// instead.
    /// </returns>
    /// <exception cref="OrleansLogException">The record can never be sent.</exception>
    public bool TryPost(string topic, in OutgoingRecord record)
    {
        var found = FindTopic(topic);
        return !found.HasWaiting && TryAppend(found, record, isAwaited: false, out _);
    }

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
    public ValueTask PostAsync(string topic, in OutgoingRecord record, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var found = FindTopic(topic);
        if (!found.HasWaiting && TryAppend(found, record, isAwaited: false, out _)) return default;
        found.BeginWait();
        return PostLaterAsync(found, new RecordCopy(record), cancellationToken);
    }

    /// <summary>
    /// Writes a record and completes when it is acknowledged. Cancelling stops the wait for room or metadata; a record
    /// that is in its batch is sent whatever happens. Await the task once.
    /// </summary>
    /// <exception cref="OrleansLogException">The record was given up.</exception>
    public ValueTask<RecordMetadata> ProduceAsync(string topic, in OutgoingRecord record, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var found = FindTopic(topic);
        if (!found.HasWaiting && TryAppend(found, record, isAwaited: true, out var delivery)) return delivery;
        found.BeginWait();
        return ProduceLaterAsync(found, new RecordCopy(record), cancellationToken);
    }

    /// <inheritdoc cref="ProduceAsync(string, in OutgoingRecord, CancellationToken)"/>
    public ValueTask<RecordMetadata> ProduceAsync(string topic, ReadOnlySpan<byte> value, CancellationToken cancellationToken = default) =>
        ProduceAsync(topic, new OutgoingRecord { Value = value }, cancellationToken);

    /// <inheritdoc cref="ProduceAsync(string, in OutgoingRecord, CancellationToken)"/>
    public ValueTask<RecordMetadata> ProduceAsync(string topic, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, CancellationToken cancellationToken = default) =>
        ProduceAsync(topic, new OutgoingRecord { Key = key, HasKey = true, Value = value }, cancellationToken);

    /// <summary>Sends what waits, without lingering, and completes when all that was appended before is acknowledged or given up.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        _state.BeginFlush();
        try
        {
            List<Task> unsettled = [];
            foreach (var queue in _topics.Values.SelectMany(topic => topic.Queues()))
            {
                queue.CollectUnsettled(unsettled);
                queue.EnqueueIfAny();
            }
            foreach (var batch in unsettled) await batch.OrGiveUpAsync(cancellationToken);
        }
        finally
        {
            _state.EndFlush();
        }
    }

    /// <summary>Flushes, which may take as long as <see cref="ProducerOptions.DeliveryTimeoutMs"/>, then refuses further records.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true)) return;
        if (_state.Transactions is { IsOpen: true }) await new Transaction(this, _state).DisposeAsync();
        await FlushAsync();
        _state.Sender.Dispose();
    }

    /// <summary>
    /// Begins a transaction: what is written until it is committed counts together, or not at all. One at a time; written to
    /// and ended by one thread at a time.
    /// </summary>
    /// <exception cref="InvalidOperationException">The producer has no transactional id, or the transaction before is not ended.</exception>
    /// <exception cref="OrleansLogException">Another producer has taken over the transactional id: dispose of this one.</exception>
    public Transaction BeginTransaction()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var transactions = _state.Transactions ?? throw new InvalidOperationException("Transactions need a name: set ProducerOptions.TransactionalId.");
        transactions.Begin();
        return new Transaction(this, _state);
    }

    /// <summary>
    /// Takes the transactional id over from whichever producer had it before, whose open transaction is aborted. Happens by
    /// itself with the first record; call it to have it done before anything is read.
    /// </summary>
    /// <exception cref="InvalidOperationException">The producer has no transactional id.</exception>
    /// <exception cref="OrleansLogException">The brokers refuse.</exception>
    public async Task InitTransactionsAsync(CancellationToken cancellationToken = default)
    {
        var transactions = _state.Transactions ?? throw new InvalidOperationException("Transactions need a name: set ProducerOptions.TransactionalId.");
        _state.Identities.Replace(await transactions.IdentifyAsync(cancellationToken));
    }

    internal void Nudge()
    {
        foreach (var queue in _topics.Values.SelectMany(topic => topic.Queues())) queue.EnqueueIfAny();
    }

    private ProducerTopic FindTopic(string topic)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _state.Transactions?.CheckOpen();
        var last = Volatile.Read(ref _lastTopic);
        if (last is not null && (ReferenceEquals(last.Name, topic) || last.Name == topic)) return last;
        var found = _topics.GetOrAdd(topic, static (name, state) => new ProducerTopic(name, state), _state);
        Volatile.Write(ref _lastTopic, found);
        return found;
    }

    private bool TryAppend(ProducerTopic topic, in OutgoingRecord record, bool isAwaited, out ValueTask<RecordMetadata> delivery)
    {
        delivery = default;
        if (!topic.IsKnown) return false;
        var queue = topic.Choose(record) ?? throw NoSuchPartition(topic, record);
        var nowMs = _state.Cluster.Time.UnixMs();
        return ProducerTelemetry.IsTraced
            ? TryAppendTraced(queue, record, nowMs, isAwaited, out delivery)
            : queue.TryAppend(record, nowMs, isAwaited, null, out delivery);
    }

    private static bool TryAppendTraced(PartitionQueue queue, in OutgoingRecord record, long nowMs, bool isAwaited, out ValueTask<RecordMetadata> delivery)
    {
        var activity = ProducerTelemetry.Begin(isAwaited ? "send" : "create", queue.Partition, record);
        if (activity is null) return queue.TryAppend(record, nowMs, isAwaited, null, out delivery);
        var traced = record with { Headers = ProducerTelemetry.Inject(activity, record.Headers) };
        var isAppended = queue.TryAppend(traced, nowMs, isAwaited, isAwaited ? activity : null, out delivery);
        if (!isAppended) activity.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        if (!isAppended || !isAwaited) ProducerTelemetry.End(activity, Offset.None, null);
        return isAppended;
    }

    private async ValueTask<RecordMetadata> ProduceLaterAsync(ProducerTopic topic, RecordCopy record, CancellationToken cancellationToken) =>
        await await AppendLaterAsync(topic, record, isAwaited: true, cancellationToken);

    private async ValueTask PostLaterAsync(ProducerTopic topic, RecordCopy record, CancellationToken cancellationToken) =>
        await AppendLaterAsync(topic, record, isAwaited: false, cancellationToken);

    // The first of a topic's waiting records has the turn, the others queue for it: none passes another.
    private async Task<ValueTask<RecordMetadata>> AppendLaterAsync(
        ProducerTopic topic, RecordCopy record, bool isAwaited, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMilliseconds(Options.BlockMsMax), _state.Cluster.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await topic.Turn.EnterAsync(either.Token);
            try
            {
                return await AppendWhenPossibleAsync(topic, record, isAwaited, either.Token);
            }
            finally
            {
                topic.Turn.Leave();
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new OrleansLogException(ErrorCode.RequestTimedOut, topic.IsKnown
                ? $"No room for a record to '{topic.Name}' within {Options.BlockMsMax} ms: {Options.BufferBytes} bytes wait for acknowledgement. Write more slowly, or raise BufferBytes."
                : $"No metadata of topic '{topic.Name}' within {Options.BlockMsMax} ms. Check that a broker can be reached at {_state.Cluster.Options.BootstrapServers}.");
        }
        finally
        {
            topic.EndWait();
        }
    }

    private async ValueTask<ValueTask<RecordMetadata>> AppendWhenPossibleAsync(
        ProducerTopic topic, RecordCopy record, bool isAwaited, CancellationToken cancellationToken)
    {
        if (PartitionQueue.SizeMaxOf(record.View) > Options.BufferBytes) throw TooLarge(topic);
        if (!topic.IsKnown) await _state.Cluster.Metadata.FindTopicAsync(topic.Name, Options.AllowTopicCreation, cancellationToken);
        while (true)
        {
            var returned = _state.Budget.WhenReturned();
            if (TryAppend(topic, record.View, isAwaited, out var delivery)) return delivery;
            await returned.OrGiveUpAsync(cancellationToken);
        }
    }

    private OrleansLogException TooLarge(ProducerTopic topic) => new(ErrorCode.MessageTooLarge,
        $"A record to '{topic.Name}' is larger than the whole buffer of {Options.BufferBytes} bytes: raise BufferBytes or write smaller records.");

    private static OrleansLogException NoSuchPartition(ProducerTopic topic, in OutgoingRecord record) => new(ErrorCode.UnknownTopicOrPartition,
        $"Topic '{topic.Name}' has no partition {record.Partition}: it has {topic.Queues().Length}, counted from 0.");
}
