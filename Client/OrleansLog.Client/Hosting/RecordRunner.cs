using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client.Hosting;

/// <summary>Brings one record to its end: handled, or after its retries in the dead-letter topic. Any thread.</summary>
/// <param name="options">How often to try, and what then.</param>
/// <param name="handle">The application's handler, in a scope of its own.</param>
/// <param name="deadLetters">Writes to the dead-letter topic; null where there is none.</param>
/// <param name="status">Told of retries.</param>
/// <param name="time">The clock of the pauses.</param>
/// <param name="logger">Where failures are told.</param>
internal sealed class RecordRunner<TKey, TValue>(
    HostedConsumerOptions<TKey, TValue> options,
    Func<ConsumedRecord<TKey, TValue>, CancellationToken, ValueTask> handle,
    Producer? deadLetters,
    HostedConsumerStatus status,
    TimeProvider time,
    ILogger logger)
{
    private readonly IDeserializer<TKey> _keys = options.KeyDeserializer ?? Serdes.For<TKey>();
    private readonly IDeserializer<TValue> _values = options.ValueDeserializer ?? Serdes.For<TValue>();

    /// <summary>
    /// Returns when the record is done. Throws <see cref="OperationCanceledException"/> when that was cancelled, and what
    /// the handler threw last when there is nowhere to put the record.
    /// </summary>
    public async Task RunAsync(ConsumedRecord<byte[], byte[]> record, CancellationToken cancellationToken)
    {
        HostedConsumerMetrics.Begin(options.DisplayName);
        var (began, outcome) = (time.GetTimestamp(), "abandoned");
        try
        {
            outcome = await TryAsync(record, cancellationToken) is not { } failure ? "handled"
                : await BuryAsync(record, failure, cancellationToken);
        }
        finally
        {
            HostedConsumerMetrics.End(options.DisplayName, record.Topic, outcome, time.GetElapsedTime(began));
        }
    }

    /// <summary>What was thrown last, or null when the record is handled.</summary>
    private async Task<Exception?> TryAsync(ConsumedRecord<byte[], byte[]> record, CancellationToken cancellationToken)
    {
        ConsumedRecord<TKey, TValue> read;
        try
        {
            read = Read(record);
        }
        catch (Exception unreadable)
        {
            return unreadable;
        }
        for (var attempt = 0; ; attempt++)
        {
            var failure = await TryOnceAsync(read, cancellationToken);
            if (failure is null || attempt >= options.RetriesMax || options.ShouldRetry?.Invoke(failure) == false) return failure;
            await PauseAsync(record, failure, attempt, cancellationToken);
        }
    }

    private async Task<Exception?> TryOnceAsync(ConsumedRecord<TKey, TValue> record, CancellationToken cancellationToken)
    {
        using var span = record.StartProcessing();
        try
        {
            await handle(record, cancellationToken);
            return null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception failure)
        {
            span?.SetStatus(System.Diagnostics.ActivityStatusCode.Error, failure.Message);
            return failure;
        }
    }

    private async Task PauseAsync(ConsumedRecord<byte[], byte[]> record, Exception failure, int attempt, CancellationToken cancellationToken)
    {
        var pauseMs = Math.Min(options.RetryBackoffMs * Math.Pow(2, attempt), options.RetryBackoffMsMax);
        logger.LogWarning(failure, "Consumer '{Consumer}': {Partition} offset {Offset} is tried again in {Pause} ms.", options.DisplayName, record.TopicPartition, record.Offset, pauseMs);
        HostedConsumerMetrics.Retry(options.DisplayName);
        status.BeginRetrying();
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(pauseMs), time, cancellationToken);
        }
        finally
        {
            status.EndRetrying();
        }
    }

    /// <summary>Nothing is lost on the way: until the dead-letter topic has it, the record is not done.</summary>
    private async Task<string> BuryAsync(ConsumedRecord<byte[], byte[]> record, Exception failure, CancellationToken cancellationToken)
    {
        if (deadLetters is null)
        {
            logger.LogError(failure, "Consumer '{Consumer}' ends: {Partition} offset {Offset} cannot be handled, and there is no DeadLetterTopic for it.", options.DisplayName, record.TopicPartition, record.Offset);
            throw new HandlingFailedException(record.TopicPartition, record.Offset, failure);
        }
        logger.LogError(failure, "Consumer '{Consumer}': {Partition} offset {Offset} goes to '{Topic}'.", options.DisplayName, record.TopicPartition, record.Offset, options.DeadLetterTopic);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await deadLetters.ProduceAsync(options.DeadLetterTopic!, ToDeadLetter(record, Reasons(record, failure)), cancellationToken);
                return "dead_lettered";
            }
            catch (OrleansLogException e) when (e.IsRetriable)
            {
                await PauseAsync(record, e, attempt, cancellationToken);
            }
        }
    }

    private ConsumedRecord<TKey, TValue> Read(in ConsumedRecord<byte[], byte[]> record) => new()
    {
        TopicPartition = record.TopicPartition,
        Offset = record.Offset,
        TimestampMs = record.TimestampMs,
        Key = record.HasKey ? _keys.Deserialize(record.Key) : default,
        HasKey = record.HasKey,
        Value = record.IsTombstone ? default : _values.Deserialize(record.Value),
        IsTombstone = record.IsTombstone,
        Headers = record.Headers,
    };

    private static OutgoingRecord ToDeadLetter(in ConsumedRecord<byte[], byte[]> record, RecordHeader[] headers) => new()
    {
        Key = record.Key,
        HasKey = record.HasKey,
        Value = record.Value,
        IsTombstone = record.IsTombstone,
        TimestampMs = record.TimestampMs,
        Headers = headers,
    };

    private RecordHeader[] Reasons(in ConsumedRecord<byte[], byte[]> record, Exception failure) =>
    [
        .. record.Headers,
        Text(DeadLetterHeaders.Topic, record.Topic),
        Text(DeadLetterHeaders.Partition, record.Partition.ToString(CultureInfo.InvariantCulture)),
        Text(DeadLetterHeaders.Offset, record.Offset.Value.ToString(CultureInfo.InvariantCulture)),
        Text(DeadLetterHeaders.Group, options.Consumer.GroupId!),
        Text(DeadLetterHeaders.Error, failure.GetType().FullName ?? failure.GetType().Name),
        Text(DeadLetterHeaders.Reason, failure.Message),
    ];

    private static RecordHeader Text(string name, string text) => new(name, Encoding.UTF8.GetBytes(text));
}
