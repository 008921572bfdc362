using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orleans.Streams;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Orleans.Streams;

/// <summary>
/// Reads one partition for its pulling agent, from where the consumer group left off, and commits what has been delivered:
/// at least once, also when a silo is lost. Reading goes on ahead of the agent, by a few fetches.
/// </summary>
internal sealed class StreamReceiver : IQueueAdapterReceiver
{
    private const int FetchesAheadMax = 4;
    private static readonly TimeSpan PollMax = TimeSpan.FromMilliseconds(500);
    // In a silo whose own broker has stopped serving, nobody may be there to commit to.
    private static readonly TimeSpan LastCommitMax = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CommitInterval = TimeSpan.FromSeconds(1);

    private readonly Channel<IList<IBatchContainer>> _incoming =
        Channel.CreateBounded<IList<IBatchContainer>>(new BoundedChannelOptions(FetchesAheadMax) { SingleReader = true });

    private readonly StreamSource _source;
    private readonly Consumer _group;
    private readonly Func<Task> _topicReady;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private Task _reading = Task.CompletedTask;
    private Task _committing = Task.CompletedTask;
    private Task? _ready;
    private long _committed;
    private long _committedAt;

    /// <param name="source">The partition.</param>
    /// <param name="group">A consumer of the group, which it disposes.</param>
    /// <param name="cacheBytesMax">How much to keep in memory.</param>
    /// <param name="topicReady">Completes when the topic is there.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where to log.</param>
    public StreamReceiver(StreamSource source, Consumer group, long cacheBytesMax, Func<Task> topicReady, TimeProvider time, ILogger logger)
    {
        (_source, _group, _topicReady, _time, _logger) = (source, group, topicReady, time, logger);
        Cache = new StreamCache(source, cacheBytesMax, (batch, stop) => _incoming.Writer.WriteAsync([batch], stop));
    }

    /// <summary>What has been received last.</summary>
    public StreamCache Cache { get; }

    private CancellationTokenSource Stopping { get; } = new();

    public Task Initialize(TimeSpan timeout)
    {
        _reading = Task.Run(ReadAsync);
        return Task.CompletedTask;
    }

    public Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount) => GetQueueMessagesAsync(maxCount, CancellationToken.None);

    /// <summary>Waits a little for events rather than for the agent's timer: they are delivered as soon as they are there.</summary>
    public async Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount, CancellationToken cancellationToken)
    {
        CommitIfDue();
        _ready ??= _incoming.Reader.WaitToReadAsync(CancellationToken.None).AsTask();
        await _ready.WaitAsync(PollMax, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (!_ready.IsCompleted) return [];
        _ready = null;
        return _incoming.Reader.TryRead(out var batches) ? batches : [];
    }

    public Task MessagesDeliveredAsync(IList<IBatchContainer> messages) => Task.CompletedTask;

    public async Task Shutdown(TimeSpan timeout)
    {
        await Stopping.CancelAsync();
        await _reading;
        try
        {
            await CommitLastAsync().WaitAsync(timeout < LastCommitMax ? timeout : LastCommitMax, _time);
        }
        catch (TimeoutException)
        {
            _logger.LogWarning("What was delivered last of {Partition} is not committed, and will be delivered again.", _source.Partition);
        }
        await _group.DisposeAsync();
    }

    private async Task ReadAsync()
    {
        long? next = null;
        while (!Stopping.IsCancellationRequested)
        {
            try
            {
                next ??= await FindBeginningAsync();
                await foreach (var (batches, end) in _source.ReadAsync(next.Value, Stopping.Token))
                {
                    if (batches.Count > 0) await _incoming.Writer.WriteAsync([.. batches], Stopping.Token);
                    next = end;
                }
            }
            catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failed)
            {
                await _source.PauseAsync(failed, Stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<long> FindBeginningAsync()
    {
        await _topicReady().WaitAsync(Stopping.Token);
        var committed = await _group.CommittedAsync([_source.Partition], Stopping.Token);
        var begin = committed.Count > 0 ? committed[0].Offset.Value : 0;
        Volatile.Write(ref _committed, begin);
        return begin;
    }

    private void CommitIfDue()
    {
        if (!_committing.IsCompleted || _time.GetElapsedTime(_committedAt) < CommitInterval) return;
        _committedAt = _time.GetTimestamp();
        Commit();
    }

    private void Commit()
    {
        var committed = Volatile.Read(ref _committed);
        var delivered = Cache.DeliveredBefore(committed);
        if (delivered > committed) _committing = Task.Run(() => CommitAsync(delivered));
    }

    private async Task CommitLastAsync()
    {
        await _committing;
        Commit();
        await _committing;
    }

    private async Task CommitAsync(long offset)
    {
        try
        {
            await _group.CommitAsync([new TopicPartitionOffset(_source.Partition, new Offset(offset))]);
            Volatile.Write(ref _committed, offset);
        }
        catch (Exception failed) when (failed is OrleansLogException or ObjectDisposedException)
        {
            _logger.LogWarning("What was delivered of {Partition} could not be committed: {Problem}", _source.Partition, failed.Message);
        }
    }
}
