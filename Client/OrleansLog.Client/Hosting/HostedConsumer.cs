using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansLog.Client.Waiting;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Hosting;

/// <summary>
/// Reads while its host runs, has several records handled at a time, and commits what is handled. When partitions move
/// or the host stops, records in hand are brought to their end first, within a limit, and committed; what only waited
/// comes again, here or elsewhere.
/// </summary>
internal sealed class HostedConsumer<TKey, TValue>(
    OrleansLogClient client,
    HostedConsumerOptions<TKey, TValue> options,
    Func<ConsumedRecord<TKey, TValue>, CancellationToken, ValueTask> handle,
    HostedConsumerStatus status,
    TimeProvider time,
    ILogger logger) : BackgroundService, IRebalanceListener
{
    private readonly ConcurrentDictionary<TopicPartition, PartitionProgress> _partitions = [];
    private readonly AsyncTurn _committing = new();
    private Consumer<byte[], byte[]>? _consumer;
    private Exception? _failure;

    public async ValueTask OnRevokedAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        var revoked = Take(partitions);
        await DrainAsync(revoked);
        await CommitAsync(revoked);
        foreach (var progress in revoked) progress.Dispose();
    }

    public async ValueTask OnLostAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        var lost = Take(partitions);
        foreach (var progress in lost) progress.Cancel();
        await DrainAsync(lost);
        foreach (var progress in lost) progress.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var deadLetters = options.DeadLetterTopic is null ? null : client.CreateProducer();
        await using var consumer = _consumer = client.CreateConsumer(
            options.Consumer with { Commit = CommitMode.Manual }, Serdes.ByteArray, Serdes.ByteArray);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        // At once: what only waits is not to begin any more.
        using var noMore = ending.Token.Register(StopAll);
        var runner = new RecordRunner<TKey, TValue>(options, handle, deadLetters, status, time, logger);
        var lanes = new HandlerLanes(options.Concurrency, options.QueuedRecordsMax, options.Order, runner.RunAsync, failure =>
        {
            Interlocked.CompareExchange(ref _failure, failure, null);
            ending.Cancel();
        });
        using (time.CreateTimer(_ => _ = CommitAsync([.. _partitions.Values]), null, CommitInterval, CommitInterval))
            await ReadAsync(consumer, lanes, ending.Token);
        await EndAsync(lanes);
        if (_failure is { } failed && !stoppingToken.IsCancellationRequested) throw failed;
    }

    private TimeSpan CommitInterval => TimeSpan.FromMilliseconds(options.CommitIntervalMs);

    private async Task ReadAsync(Consumer<byte[], byte[]> consumer, HandlerLanes lanes, CancellationToken ending)
    {
        try
        {
            if (options.TopicPattern is { } pattern) consumer.SubscribePattern(pattern, this);
            else consumer.Subscribe(options.Topics, this);
            await foreach (var record in consumer.ConsumeAsync(ending))
            {
                var progress = _partitions.GetOrAdd(record.TopicPartition, static partition => new PartitionProgress(partition));
                progress.Begin(record.Offset);
                await lanes.AddAsync(record, progress, ending);
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
        }
        catch (Exception failure)
        {
            logger.LogError(failure, "Consumer '{Consumer}' ends: it cannot read on.", options.DisplayName);
            Interlocked.CompareExchange(ref _failure, failure, null);
        }
    }

    private async Task EndAsync(HandlerLanes lanes)
    {
        if (_failure is { } failure) status.Fail(failure);
        PartitionProgress[] all = [.. _partitions.Values];
        await DrainAsync(all);
        await lanes.CompleteAsync();
        await CommitAsync(all);
        _partitions.Clear();
        foreach (var progress in all) progress.Dispose();
    }

    /// <summary>Waits for the records in hand, and cancels those that take too long.</summary>
    private async Task DrainAsync(IReadOnlyCollection<PartitionProgress> partitions)
    {
        var idle = Task.WhenAll(partitions.Select(progress => progress.StopAsync()));
        using var enough = new CancellationTokenSource();
        await Task.WhenAny(idle, Task.Delay(TimeSpan.FromMilliseconds(options.DrainTimeoutMs), time, enough.Token));
        await enough.CancelAsync();
        if (idle.IsCompleted) return;
        logger.LogWarning("Consumer '{Consumer}': records in hand are cancelled after {Limit} ms.", options.DisplayName, options.DrainTimeoutMs);
        foreach (var progress in partitions) progress.Cancel();
        await idle;
    }

    /// <summary>Commits what is handled. A commit that the group refuses is of partitions that others have now: the records come again there.</summary>
    private async Task CommitAsync(IReadOnlyCollection<PartitionProgress> partitions)
    {
        // One after the other, so that none takes back what a later one has said.
        await _committing.EnterAsync(CancellationToken.None);
        try
        {
            var positions = partitions.Select(progress => (progress, Position: progress.Uncommitted())).Where(each => each.Position is not null).ToList();
            if (positions.Count == 0) return;
            await _consumer!.CommitAsync(positions.ConvertAll(each => each.Position!.Value));
            foreach (var (progress, position) in positions) progress.NoteCommitted(position!.Value.Offset);
        }
        catch (Exception e) when (e is OrleansLogException or ObjectDisposedException)
        {
            logger.LogWarning("Consumer '{Consumer}': {Problem}", options.DisplayName, e.Message);
        }
        finally
        {
            _committing.Leave();
        }
    }

    private void StopAll()
    {
        foreach (var progress in _partitions.Values) _ = progress.StopAsync();
    }

    private List<PartitionProgress> Take(IReadOnlyCollection<TopicPartition> partitions)
    {
        List<PartitionProgress> taken = [];
        foreach (var partition in partitions)
        {
            if (_partitions.TryRemove(partition, out var progress)) taken.Add(progress);
        }
        return taken;
    }
}
