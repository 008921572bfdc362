using Microsoft.Extensions.Logging;
using OrleansLog.Client.Consuming;
using OrleansLog.Client.Metadata;
using OrleansLog.Client.Transport;
using OrleansLog.Client.Waiting;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Sharing;

/// <summary>
/// A member of a share group (KIP-932): heartbeats run by themselves and say what it may read. Nothing has to be given up in
/// any order, so that an assignment simply holds from when it is heard.
/// </summary>
internal sealed class ShareMembership : IAsyncDisposable
{
    private const int FirstIntervalMs = 5_000;

    private readonly Cluster _cluster;
    private readonly ShareConsumerOptions _options;
    private readonly Lane _lane = Lane.Open();
    private readonly GroupCoordinator _coordinator;
    private readonly AssignedTopics _topics;
    private readonly AsyncTurn _turn = new();
    private readonly CancellationTokenSource _closing = new();
    private IReadOnlyList<string> _subscribed;
    private List<TopicPartition> _assigned = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _beating;
    private bool _mustTellAll = true;
    private int _intervalMs = FirstIntervalMs;
    private int _epoch;

    public ShareMembership(Cluster cluster, ShareConsumerOptions options, string memberId, IReadOnlyList<string> topics)
    {
        (_cluster, _options, MemberId, _subscribed) = (cluster, options, memberId, topics);
        _coordinator = new GroupCoordinator(cluster, options.GroupId, _lane);
        _topics = new AssignedTopics(cluster);
    }

    public string MemberId { get; }

    /// <summary>What it may read now.</summary>
    public IReadOnlyList<TopicPartition> Assigned => Volatile.Read(ref _assigned);

    /// <summary>Completes when that changes.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>Reads other topics from the next heartbeat on.</summary>
    public void Subscribe(IReadOnlyList<string> topics)
    {
        Volatile.Write(ref _subscribed, topics);
        Volatile.Write(ref _mustTellAll, true);
    }

    /// <summary>Joins, the first time that it is called.</summary>
    /// <exception cref="OrleansLogException">The group does not want this member, or nobody answers.</exception>
    public async Task JoinAsync(CancellationToken cancellationToken)
    {
        if (_beating is not null) return;
        await _cluster.RetryAsync($"join share group '{_options.GroupId}'", async token =>
        {
            await BeatAsync(token);
            return true;
        }, cancellationToken);
        _beating ??= KeepBeatingAsync();
    }

    /// <summary>Leaves the group.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        if (_beating is { } beating) await beating;
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(_cluster.Options.RequestTimeoutMs), _cluster.Time);
            if (_epoch > 0)
                await _coordinator.SendOnceAsync(Request(ShareGroupHeartbeatRequest.LeaveEpoch, tellsAll: false), response => response.ErrorCode, 0, patience.Token);
        }
        catch (Exception e) when (e is OrleansLogException or OperationCanceledException)
        {
            _cluster.Logger.LogDebug(e, "Share group '{Group}' was not told that this member left; it finds out by the session timeout.", _options.GroupId);
        }
        _cluster.Transport.CloseLane(_lane);
        _closing.Dispose();
    }

    private async Task KeepBeatingAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(_intervalMs), _cluster.Time, _closing.Token);
                await BeatQuietlyAsync();
                _cluster.Metadata.RefreshIfOld();
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task BeatQuietlyAsync()
    {
        try
        {
            await BeatAsync(_closing.Token);
        }
        catch (OrleansLogException e)
        {
            _cluster.Logger.LogDebug(e, "A heartbeat to share group '{Group}' failed; the next one follows.", _options.GroupId);
        }
    }

    /// <summary>One heartbeat at a time: each begins where the answer to the one before left the member.</summary>
    private async Task BeatAsync(CancellationToken cancellationToken)
    {
        await _turn.EnterAsync(cancellationToken);
        var tellsAll = Interlocked.Exchange(ref _mustTellAll, false) || _epoch == 0;
        try
        {
            var response = await _coordinator.SendOnceAsync(Request(_epoch, tellsAll), response => response.ErrorCode, 0, cancellationToken);
            await TakeAsync(response, cancellationToken);
        }
        catch
        {
            // Whether it arrived is not known: everything is said again.
            Volatile.Write(ref _mustTellAll, true);
            throw;
        }
        finally
        {
            _turn.Leave();
        }
    }

    private ShareGroupHeartbeatRequest Request(int epoch, bool tellsAll) => new()
    {
        GroupId = _options.GroupId,
        MemberId = MemberId,
        MemberEpoch = epoch,
        RackId = tellsAll ? _options.Rack : null,
        SubscribedTopicNames = tellsAll ? [.. Volatile.Read(ref _subscribed)] : null,
    };

    private async Task TakeAsync(ShareGroupHeartbeatResponse response, CancellationToken cancellationToken)
    {
        if (response.ErrorCode is ErrorCode.UnknownMemberId or ErrorCode.FencedMemberEpoch && _epoch > 0)
        {
            _cluster.Logger.LogWarning("Share group '{Group}' has dropped this member ({Error}); it joins again.", _options.GroupId, response.ErrorCode);
            (_epoch, _intervalMs) = (0, 1);
            return;
        }
        if (response.ErrorCode != ErrorCode.None)
            throw new OrleansLogException(response.ErrorCode, $"Share group '{_options.GroupId}' refused this member: {response.ErrorMessage ?? response.ErrorCode.ToString()}");
        if (response.HeartbeatIntervalMs > 0) _intervalMs = response.HeartbeatIntervalMs;
        if (response.Assignment is { } assignment)
            await AssignAsync(assignment, cancellationToken);
        _epoch = response.MemberEpoch;
    }

    private async Task AssignAsync(ShareGroupHeartbeatResponse.ShareAssignment assignment, CancellationToken cancellationToken)
    {
        var given = assignment.TopicPartitions.ConvertAll(topic => new ConsumerGroupHeartbeat.TopicPartitions { TopicId = topic.TopicId, Partitions = topic.Partitions });
        var named = await _topics.NameAsync(given, cancellationToken);
        foreach (var topic in named.Select(partition => partition.Topic).Distinct()) _cluster.Metadata.Name(topic, allowCreation: false);
        if (named.ToHashSet().SetEquals(Assigned)) return;
        Volatile.Write(ref _assigned, named);
        Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        _cluster.Logger.LogInformation("Share group '{Group}': this member reads {Count} partitions.", _options.GroupId, named.Count);
    }
}
