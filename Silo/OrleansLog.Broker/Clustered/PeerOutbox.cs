using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Replication.Brokers;

namespace OrleansLog.Broker.Clustered;

/// <summary>
/// What one other broker is still to be told of the metadata register: of each document the latest news, one call at a
/// time, again and again until the broker has it or is gone. Any thread.
/// </summary>
internal sealed class PeerOutbox : IDisposable
{
    /// <summary>How many documents one call carries.</summary>
    public const int NewsPerCallMax = 500;

    private static readonly TimeSpan CallTimeMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (int Epoch, ReadOnlyMemory<byte> Document)> _waiting = new(StringComparer.Ordinal);
    private readonly BrokerId _to;
    private readonly IBrokerPeer _peer;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closing = new();
    private readonly CancellationToken _closed;
    private Task _sending = Task.CompletedTask;

    public PeerOutbox(BrokerId to, IBrokerPeer peer, TimeProvider time, ILogger logger)
    {
        (_to, _peer, _time, _logger) = (to, peer, time, logger);
        _closed = _closing.Token;
    }

    /// <summary>Puts a document in. Where a later version of it waits already, that one stays.</summary>
    /// <param name="news">The document.</param>
    /// <param name="epoch">Tells which of two versions is the later.</param>
    public void Post(RegisterNews news, int epoch = 0)
    {
        lock (_gate)
        {
            if (_closed.IsCancellationRequested || (_waiting.TryGetValue(news.Key, out var known) && known.Epoch > epoch))
                return;
            _waiting[news.Key] = (epoch, news.Document);
            if (_sending.IsCompleted)
                _sending = Task.Run(SendAsync);
        }
    }

    /// <summary>Completes when everything has been told, or the broker is gone.</summary>
    public Task DeliveredAsync()
    {
        lock (_gate)
            return _sending;
    }

    /// <summary>The broker is gone.</summary>
    public void Dispose()
    {
        _closing.Cancel();
        _closing.Dispose();
    }

    private async Task SendAsync()
    {
        for (var some = Take(); some.Count > 0; some = Take())
        {
            if (await TryTellAsync(some))
                continue;
            PutBack(some);
            await Task.Delay(RetryDelay, _time, _closed).ContinueWith(static _ => { }, TaskScheduler.Default);
        }
    }

    private async Task<bool> TryTellAsync(Dictionary<string, (int Epoch, ReadOnlyMemory<byte> Document)> some)
    {
        try
        {
            await _peer.TellAsync([.. some.Select(each => new RegisterNews(each.Key, each.Value.Document))], _closed).WaitAsync(CallTimeMax, _time, _closed);
            return true;
        }
        catch (Exception failed) when (failed is IOException or TimeoutException or OperationCanceledException)
        {
            _logger.LogDebug("Broker {Broker} could not be told of {Count} changes yet: {Reason}", _to, some.Count, failed.Message);
            return false;
        }
    }

    // Empty ends the sending, within the lock, so that what is posted next begins anew.
    private Dictionary<string, (int Epoch, ReadOnlyMemory<byte> Document)> Take()
    {
        lock (_gate)
        {
            if (_closed.IsCancellationRequested)
                _waiting.Clear();
            var some = _waiting.Take(NewsPerCallMax).ToDictionary(StringComparer.Ordinal);
            foreach (var key in some.Keys)
                _waiting.Remove(key);
            if (some.Count == 0)
                _sending = Task.CompletedTask;
            return some;
        }
    }

    private void PutBack(Dictionary<string, (int Epoch, ReadOnlyMemory<byte> Document)> some)
    {
        lock (_gate)
        {
            foreach (var (key, news) in some)
            {
                if (!_waiting.TryGetValue(key, out var later) || later.Epoch < news.Epoch)
                    _waiting[key] = news;
            }
        }
    }
}
