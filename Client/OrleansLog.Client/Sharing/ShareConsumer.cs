using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using OrleansLog.Client.Metadata;
using OrleansLog.Client.Sharing;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client;

/// <summary>
/// Takes records from topics as from a queue, together with the other members of its share group (KIP-932): each record goes to
/// one of them, is acknowledged by itself, and goes to another if it is not. Order is not kept. One reader at a time; every
/// other member may be called from any thread meanwhile.
/// </summary>
public sealed class ShareConsumer<TKey, TValue> : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Cluster _cluster;
    private readonly ShareRecords<TKey, TValue> _records;
    private readonly ConcurrentDictionary<BrokerId, ShareLine> _lines = [];
    private readonly Queue<Func<ShareRecord<TKey, TValue>>> _acquired = [];
    private readonly string _memberId = Guid.NewGuid().ToString();
    private readonly CancellationTokenSource _closing = new();
    private ShareMembership? _membership;
    private ShareRecord<TKey, TValue>? _inHand;
    private bool _isDisposed;

    internal ShareConsumer(Cluster cluster, ShareConsumerOptions options, IDeserializer<TKey> keyDeserializer, IDeserializer<TValue> valueDeserializer)
    {
        (_cluster, Options) = (cluster, options);
        _records = new(options, keyDeserializer, valueDeserializer);
    }

    public ShareConsumerOptions Options { get; }

    /// <summary>Who this consumer is in its group.</summary>
    public string MemberId => _memberId;

    /// <summary>The partitions that it takes records from now; others may take from the same.</summary>
    public IReadOnlyCollection<TopicPartition> Assignment => _membership?.Assigned ?? [];

    /// <summary>Takes records from topics; replaces an earlier subscription.</summary>
    public void Subscribe(params IEnumerable<string> topics)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        string[] all = [.. topics.Distinct()];
        if (all.Length == 0) throw new ArgumentException("Name at least one topic.", nameof(topics));
        if (_membership is { } membership) membership.Subscribe(all);
        else _membership = new(_cluster, Options, _memberId, all);
    }

    /// <summary>
    /// Takes records. Ends only by cancellation (<see cref="OperationCanceledException"/>) or error. What a deserializer throws
    /// comes out here, and the record is released; reading again goes on behind it.
    /// </summary>
    public async IAsyncEnumerable<ShareRecord<TKey, TValue>> ConsumeAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            AcceptInHand();
            while (!_acquired.TryPeek(out _)) await FetchAsync(cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            _inHand = _acquired.Dequeue()();
            yield return _inHand;
        }
    }

    /// <summary>
    /// Has the brokers store what was said about records; where acknowledging is implicit, of the one in hand too. What became
    /// of it is in the answer: what was refused is delivered again.
    /// </summary>
    public async ValueTask<IReadOnlyList<ShareAcknowledged>> CommitAsync(CancellationToken cancellationToken = default)
    {
        AcceptInHand();
        var outcomes = await Task.WhenAll(_lines.Values.Select(line => line.AcknowledgeAsync(isLast: false, cancellationToken)));
        return [.. outcomes.SelectMany(each => each)];
    }

    /// <summary>
    /// Says what is still to be said, gives back what was acquired, and leaves the group. The record in hand does not count as
    /// handled unless that was said.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true)) return;
        foreach (var line in _lines.Values) await EndAsync(line);
        await _closing.CancelAsync();
        if (_membership is { } membership) await membership.DisposeAsync();
        _closing.Dispose();
    }

    private void AcceptInHand()
    {
        var finished = Interlocked.Exchange(ref _inHand, null);
        if (finished is { IsSaid: false } && Options.Acknowledgement == ShareAcknowledgement.Implicit) finished.Accept();
    }

    private async Task EndAsync(ShareLine line)
    {
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(_cluster.Options.RequestTimeoutMs), _cluster.Time);
            await line.AcknowledgeAsync(isLast: true, patience.Token);
        }
        catch (Exception e) when (e is OrleansLogException or OperationCanceledException)
        {
            _cluster.Logger.LogDebug(e, "Broker {Broker} was not told that share group '{Group}' lost a member; locks end by themselves.", line.Broker, Options.GroupId);
        }
    }

    private async Task FetchAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var membership = _membership ?? throw new InvalidOperationException("Subscribe to topics first.");
        await membership.JoinAsync(cancellationToken);
        var changed = membership.Changed;
        var fetching = Begin(membership.Assigned);
        if (fetching.Count == 0)
        {
            // There is nothing to read yet, or no leader to read it from.
            if (membership.Assigned.Count > 0) _cluster.Metadata.RefreshBehind();
            await Task.WhenAny(changed, Task.Delay(Pause, _cluster.Time, cancellationToken)).WaitAsync(cancellationToken);
            return;
        }
        await Task.WhenAny([changed, .. fetching.Select(line => line.Fetching!)]).WaitAsync(cancellationToken);
        foreach (var line in fetching.Where(line => line.Fetching!.IsCompleted)) await TakeAsync(line, cancellationToken);
    }

    private List<ShareLine> Begin(IReadOnlyList<TopicPartition> assigned)
    {
        var view = _cluster.Metadata.View;
        var byLeader = assigned.ToLookup(partition => view.Find(partition)?.Leader ?? BrokerId.None);
        foreach (var leader in byLeader.Where(each => each.Key != BrokerId.None)) _lines.GetOrAdd(leader.Key, id => new(_cluster, Options, _memberId, id));
        var used = _lines.Values.Where(line => line.Fetching is not null || byLeader.Contains(line.Broker) || line.IsInUse).ToList();
        foreach (var line in used) line.Fetching ??= line.FetchAsync([.. byLeader[line.Broker]], _closing.Token);
        return used;
    }

    private async Task TakeAsync(ShareLine line, CancellationToken cancellationToken)
    {
        var fetching = line.Fetching!;
        line.Fetching = null;
        try
        {
            var response = await fetching;
            if (response is null) return;
            foreach (var topic in response.Responses) Take(line, topic);
            if (response.Responses.Exists(topic => topic.Partitions.Exists(part => part.ErrorCode != ErrorCode.None))) await LookAgainAsync(cancellationToken);
        }
        catch (OrleansLogException e) when (IsPassing(e))
        {
            _cluster.Logger.LogDebug(e, "A fetch of share group '{Group}' failed and is tried again.", Options.GroupId);
            await LookAgainAsync(cancellationToken);
        }
    }

    private static bool IsPassing(OrleansLogException e) => Cluster.ShouldRetry(e) || e.ErrorCode is
        ErrorCode.ShareSessionNotFound or ErrorCode.InvalidShareSessionEpoch or ErrorCode.ShareSessionLimitReached or ErrorCode.CoordinatorNotAvailable;

    private async Task LookAgainAsync(CancellationToken cancellationToken)
    {
        _cluster.Metadata.RefreshBehind();
        if (_acquired.Count == 0) await Task.Delay(Pause, _cluster.Time, cancellationToken);
    }

    private void Take(ShareLine line, ShareFetchResponse.ShareFetchableTopicResponse topic)
    {
        if (_cluster.Metadata.View.Topics.Values.FirstOrDefault(view => view.Id == topic.TopicId) is not { } known) return;
        foreach (var part in topic.Partitions)
        {
            foreach (var record in _records.Read(line, new(known.Name, part.PartitionIndex), part)) _acquired.Enqueue(record);
        }
    }
}
