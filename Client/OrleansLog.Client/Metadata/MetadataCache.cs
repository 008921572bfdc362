using Microsoft.Extensions.Logging;
using OrleansLog.Client.Transport;
using OrleansLog.Client.Waiting;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Metadata;

/// <summary>
/// Keeps what is known of the cluster for all users of one client: the topics that any of them has named, asked for
/// together, one question at a time. Any thread.
/// </summary>
internal sealed class MetadataCache(IClusterTransport transport, ClientOptions options, TimeProvider time, ILogger logger)
{
    private readonly AsyncTurn _turn = new();
    private readonly HashSet<string> _named = [];
    private readonly HashSet<string> _creatable = [];
    private ClusterView _view = ClusterView.Empty;
    private long _refreshesStarted;
    private long _refreshedAt;
    private int _isRefreshingBehind;

    /// <summary>What is known now.</summary>
    public ClusterView View => Volatile.Read(ref _view);

    /// <summary>Raised after every refresh, on the thread that made it.</summary>
    public event Action? Refreshed;

    /// <summary>Takes a topic into the questions to come.</summary>
    /// <param name="topic">Its name.</param>
    /// <param name="allowCreation">Whether asking for it may create it.</param>
    public void Name(string topic, bool allowCreation)
    {
        lock (_named)
        {
            _named.Add(topic);
            if (allowCreation) _creatable.Add(topic);
        }
    }

    /// <summary>Forgets a topic that was deleted.</summary>
    public void Forget(string topic)
    {
        lock (_named)
        {
            _named.Remove(topic);
            _creatable.Remove(topic);
        }
    }

    /// <summary>The topic, once it is known to exist; waits while it may be about to.</summary>
    /// <exception cref="OrleansLogException">It does not exist, may not be named so, or may not be seen.</exception>
    public async ValueTask<TopicView> FindTopicAsync(string topic, bool allowCreation, CancellationToken cancellationToken)
    {
        if (View.Topics.TryGetValue(topic, out var known) && IsUsable(known)) return known;
        Name(topic, allowCreation);
        var backoff = new Backoff(options);
        for (var start = time.MonotonicMs(); ; await Task.Delay(backoff.Next(), time, cancellationToken))
        {
            if (await TryRefreshAsync(time.MonotonicMs() - start < options.OperationTimeoutMs, cancellationToken))
            {
                known = View.Topics.GetValueOrDefault(topic);
                if (known is not null && IsUsable(known)) return known;
                var error = known?.Error ?? ErrorCode.UnknownTopicOrPartition;
                var isPatient = error.IsRetriable() && time.MonotonicMs() - start < options.UnknownTopicWaitMsMax;
                if (!isPatient) throw Unusable(topic, error);
            }
        }
    }

    private async ValueTask<bool> TryRefreshAsync(bool mayFail, CancellationToken cancellationToken)
    {
        try
        {
            await RefreshAsync(cancellationToken);
            return true;
        }
        catch (OrleansLogException e) when (mayFail && Cluster.ShouldRetry(e))
        {
            logger.LogDebug(e, "Metadata could not be refreshed; the next attempt follows.");
            return false;
        }
    }

    /// <summary>Asks a broker anew. Whoever comes while a question is under way waits for the one after it.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var seen = Interlocked.Read(ref _refreshesStarted);
        await _turn.EnterAsync(cancellationToken);
        try
        {
            if (Interlocked.Read(ref _refreshesStarted) > seen) return;
            Interlocked.Increment(ref _refreshesStarted);
            await AskAsync(cancellationToken);
        }
        finally
        {
            _turn.Leave();
        }
    }

    /// <summary>Asks anew without making anyone wait; does nothing while that is under way.</summary>
    public void RefreshBehind()
    {
        if (Interlocked.Exchange(ref _isRefreshingBehind, 1) == 0) _ = RefreshQuietlyAsync();
    }

    /// <summary>Asks anew, behind, if what is known has reached its age.</summary>
    public void RefreshIfOld()
    {
        if (time.GetElapsedTime(Interlocked.Read(ref _refreshedAt)).TotalMilliseconds > options.MetadataAgeMsMax) RefreshBehind();
    }

    /// <summary>Takes note of a leader that a broker named.</summary>
    public void LearnLeader(TopicPartition partition, BrokerId leader, LeaderEpoch epoch)
    {
        ClusterView before;
        do before = View;
        while (Interlocked.CompareExchange(ref _view, before.WithLeader(partition, leader, epoch), before) != before);
    }

    private static bool IsUsable(TopicView topic) => topic.Error == ErrorCode.None && !topic.Partitions.IsEmpty;

    private async Task RefreshQuietlyAsync()
    {
        try
        {
            await RefreshAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is OrleansLogException or ObjectDisposedException)
        {
            logger.LogDebug(e, "Metadata could not be refreshed; the next attempt follows when it is needed.");
        }
        finally
        {
            Volatile.Write(ref _isRefreshingBehind, 0);
        }
    }

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        var request = Question();
        var response = await transport.SendAsync(BrokerId.None, Lane.Control, request, cancellationToken, versionMin: 1);
        ClusterView before, after;
        do
        {
            before = View;
            after = before.With(response);
        }
        while (Interlocked.CompareExchange(ref _view, after, before) != before);
        transport.LearnBrokers(after.Brokers);
        Interlocked.Exchange(ref _refreshedAt, time.GetTimestamp());
        Refreshed?.Invoke();
    }

    private MetadataRequest Question()
    {
        lock (_named)
        {
            return new MetadataRequest
            {
                Topics = [.. _named.Select(name => new MetadataRequest.MetadataRequestTopic { Name = name })],
                AllowAutoTopicCreation = _creatable.Count > 0,
            };
        }
    }

    private OrleansLogException Unusable(string topic, ErrorCode error)
    {
        Forget(topic);
        return new OrleansLogException(error, error switch
        {
            ErrorCode.UnknownTopicOrPartition => $"Topic '{topic}' does not exist. Create it first, or let the broker create topics (auto.create.topics.enable).",
            ErrorCode.InvalidTopicException => $"'{topic}' is not a topic name: use 1 to 249 letters, digits, dots, underscores and dashes.",
            ErrorCode.TopicAuthorizationFailed => $"This client may not use topic '{topic}': ask for access to it.",
            _ => $"Topic '{topic}' cannot be used now: {error}.",
        });
    }
}
