using Microsoft.Extensions.Logging;
using OrleansLog.Client.Metadata;
using OrleansLog.Client.Transport;
using OrleansLog.Client.Waiting;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Consuming;

/// <summary>
/// A member of a group whose coordinator assigns (KIP-848). Heartbeats run by themselves and bring assignments; these
/// are taken over on the reader's turn, where the application's callbacks run: first the member lets go of what is not its
/// any more and says so, and only then others get it.
/// </summary>
internal sealed class ConsumerMembership : IMembership
{
    private readonly Cluster _cluster;
    private readonly ConsumerOptions _options;
    private readonly Subscription _subscription;
    private readonly FetchBuffer _buffer;
    private readonly Func<CancellationToken, Task> _commitBeforeRebalance;
    private readonly Lane _lane = Lane.Open();
    private readonly GroupCoordinator _coordinator;
    private readonly AssignedTopics _topics;
    private readonly AsyncTurn _turn = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _gate = new();
    private GroupMember _member;
    private List<ConsumerGroupHeartbeat.TopicPartitions>? _given;
    private List<ConsumerGroupHeartbeat.TopicPartitions> _owned = [];
    private bool _mustTellAll = true;
    private bool _mustTellOwned;
    private bool _isLost;
    private bool _mustResubscribe;
    private Task? _beating;
    private int _intervalMs;
    private long _polledAt;

    public ConsumerMembership(
        Cluster cluster, ConsumerOptions options, Subscription subscription, FetchBuffer buffer, Func<CancellationToken, Task> commitBeforeRebalance)
    {
        (_cluster, _options, _subscription, _buffer, _commitBeforeRebalance) = (cluster, options, subscription, buffer, commitBeforeRebalance);
        _member = new GroupMember(cluster.Options.NewId().ToString("N"), 0, options.GroupInstanceId);
        _coordinator = new GroupCoordinator(cluster, options.GroupId!, _lane);
        _topics = new AssignedTopics(cluster);
        _intervalMs = options.HeartbeatIntervalMs;
        NotePoll();
    }

    public GroupMember Member
    {
        get
        {
            lock (_gate) return _member;
        }
    }

    public GroupMember Holder => Member;

    public bool NeedsReader
    {
        get
        {
            lock (_gate) return _isLost || _member.Generation <= 0 || _given is not null || _mustResubscribe;
        }
    }

    public bool IsReaderWaiting { get; set; }

    public void NotePoll() => Volatile.Write(ref _polledAt, _cluster.Time.GetTimestamp());

    public void RequestJoin()
    {
        lock (_gate) (_mustTellAll, _mustResubscribe) = (true, true);
        _buffer.Interrupt();
    }

    public void Hear(GroupMember asked, ErrorCode error)
    {
        lock (_gate)
        {
            if (asked == _member && error is ErrorCode.UnknownMemberId or ErrorCode.FencedMemberEpoch or ErrorCode.FencedInstanceId) Lose(error);
        }
    }

    public async Task UpdateAsync(CancellationToken cancellationToken)
    {
        for (var backoff = new Backoff(_cluster.Options); NeedsReader;)
        {
            try
            {
                await UpdateOnceAsync(cancellationToken);
            }
            catch (OrleansLogException e) when (Cluster.ShouldRetry(e) || GroupErrors.MeansJoinAgain(e.ErrorCode) || e.ErrorCode == ErrorCode.UnreleasedInstanceId)
            {
                _cluster.Logger.LogWarning("Joining group '{Group}' failed and is tried again: {Problem}", _options.GroupId, e.Message);
                await Task.Delay(backoff.Next(), _cluster.Time, cancellationToken);
                _cluster.Metadata.RefreshBehind();
            }
        }
    }

    public async Task<bool> CatchUpAsync(GroupMember asked, CancellationToken cancellationToken)
    {
        if (Member == asked) await BeatAsync(cancellationToken);
        return Member is { Generation: > 0 } now && now != asked;
    }

    /// <summary>Leaves the group; a static member says that it means to come back.</summary>
    public async ValueTask DisposeAsync()
    {
        _closing.Cancel();
        if (_beating is { } beating) await beating;
        try
        {
            using var patience = new CancellationTokenSource(IMembership.LeaveTimeMax, _cluster.Time);
            await LeaveAsync(_options.GroupInstanceId is null ? ConsumerGroupHeartbeatRequest.LeaveEpoch : ConsumerGroupHeartbeatRequest.LeaveStaticEpoch, patience.Token);
        }
        catch (Exception e) when (e is OrleansLogException or OperationCanceledException)
        {
            _cluster.Logger.LogDebug(e, "Group '{Group}' was not told that this member left; it finds out by the session timeout.", _options.GroupId);
        }
        _cluster.Transport.CloseLane(_lane);
        _closing.Dispose();
    }

    private async Task UpdateOnceAsync(CancellationToken cancellationToken)
    {
        bool isLost, mustBeat;
        List<ConsumerGroupHeartbeat.TopicPartitions>? given;
        lock (_gate) (isLost, given, mustBeat) = (_isLost, _given, _member.Generation <= 0 || _mustResubscribe);
        if (isLost) await DropLostAsync(cancellationToken);
        else if (given is not null) await TakeOverAsync(given, cancellationToken);
        else if (mustBeat) await JoinAsync(cancellationToken);
    }

    private async Task JoinAsync(CancellationToken cancellationToken)
    {
        lock (_gate) _mustResubscribe = false;
        try
        {
            await BeatAsync(cancellationToken);
        }
        catch
        {
            lock (_gate) _mustResubscribe = true;
            throw;
        }
        _beating ??= KeepBeatingAsync();
    }

    /// <summary>What is not given any more is let go, with the application's knowledge; what is new is taken.</summary>
    private async Task TakeOverAsync(List<ConsumerGroupHeartbeat.TopicPartitions> given, CancellationToken cancellationToken)
    {
        var share = await _topics.NameAsync(given, cancellationToken);
        var revoked = _subscription.Partitions().Except(share).ToList();
        if (revoked.Count > 0)
        {
            await _commitBeforeRebalance(cancellationToken);
            if (_subscription.Listener is { } told) await told.OnRevokedAsync(revoked, cancellationToken);
            _subscription.Remove(revoked);
        }
        var added = _subscription.Replace(share);
        foreach (var state in added) state.NeedsCommitted = true;
        lock (_gate)
        {
            (_owned, _mustTellOwned) = (given, true);
            if (ReferenceEquals(_given, given)) _given = null;
        }
        _cluster.Logger.LogInformation("Group '{Group}' epoch {Epoch}: this member reads {Count} partitions.", _options.GroupId, Member.Generation, share.Count);
        if (added.Count > 0 && _subscription.Listener is { } listener) await listener.OnAssignedAsync([.. added.Select(state => state.Partition)], cancellationToken);
        if (revoked.Count > 0) await TellQuietlyAsync(cancellationToken);
    }

    private async Task DropLostAsync(CancellationToken cancellationToken)
    {
        var lost = _subscription.Partitions();
        _subscription.Remove(lost);
        lock (_gate) (_isLost, _given, _owned, _mustTellAll) = (false, null, [], true);
        if (lost.Count > 0 && _subscription.Listener is { } listener) await listener.OnLostAsync(lost, cancellationToken);
    }

    /// <summary>Called within the gate.</summary>
    private void Lose(ErrorCode error)
    {
        _cluster.Logger.LogWarning("Group '{Group}' has dropped this member ({Error}); it joins again with its next read.", _options.GroupId, error);
        if (error == ErrorCode.FencedInstanceId) _buffer.Fail(GroupErrors.Explain(_options, error));
        (_member, _isLost, _given, _mustTellAll) = (_member with { Generation = 0 }, true, null, true);
        _buffer.Interrupt();
    }

    private async Task KeepBeatingAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Volatile.Read(ref _intervalMs)), _cluster.Time, _closing.Token);
                if (Member.Generation <= 0) continue;
                if (IsApplicationGone()) await GiveUpAsync();
                else await TellQuietlyAsync(_closing.Token);
                _cluster.Metadata.RefreshIfOld();
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private bool IsApplicationGone() =>
        !IsReaderWaiting && _cluster.Time.GetElapsedTime(Volatile.Read(ref _polledAt)).TotalMilliseconds > _options.PollIntervalMsMax;

    private async Task GiveUpAsync()
    {
        _cluster.Logger.LogWarning("The application has not asked for a record of group '{Group}' for {Limit} ms, so that its partitions go to others. Process faster, or raise PollIntervalMsMax.", _options.GroupId, _options.PollIntervalMsMax);
        try
        {
            await LeaveAsync(ConsumerGroupHeartbeatRequest.LeaveEpoch, _closing.Token);
        }
        catch (OrleansLogException e)
        {
            _cluster.Logger.LogDebug(e, "Group '{Group}' was not told that this member left.", _options.GroupId);
        }
        lock (_gate) Lose(ErrorCode.UnknownMemberId);
    }

    private async Task TellQuietlyAsync(CancellationToken cancellationToken)
    {
        try
        {
            await BeatAsync(cancellationToken);
        }
        catch (OrleansLogException e)
        {
            _cluster.Logger.LogDebug(e, "A heartbeat to group '{Group}' failed; the next one follows.", _options.GroupId);
        }
    }

    /// <summary>One heartbeat at a time: each begins where the answer to the one before left the member.</summary>
    private async Task BeatAsync(CancellationToken cancellationToken)
    {
        await _turn.EnterAsync(cancellationToken);
        try
        {
            var request = NextHeartbeat();
            try
            {
                Take(request, await _coordinator.SendOnceAsync(request, response => response.ErrorCode, 0, cancellationToken));
            }
            catch
            {
                // Whether it arrived is not known: everything is said again.
                lock (_gate) _mustTellAll = true;
                throw;
            }
        }
        finally
        {
            _turn.Leave();
        }
    }

    private ConsumerGroupHeartbeatRequest NextHeartbeat()
    {
        lock (_gate)
        {
            var isJoin = _member.Generation <= 0;
            var tellsAll = _mustTellAll || isJoin;
            var tellsOwned = tellsAll || _mustTellOwned;
            (_mustTellAll, _mustTellOwned) = (false, false);
            return new ConsumerGroupHeartbeatRequest
            {
                GroupId = _options.GroupId!,
                MemberId = _member.Id,
                MemberEpoch = Math.Max(0, _member.Generation),
                InstanceId = _options.GroupInstanceId,
                RackId = tellsAll ? _options.Rack : null,
                RebalanceTimeoutMs = tellsAll ? _options.PollIntervalMsMax : -1,
                SubscribedTopicNames = tellsAll ? [.. _subscription.Topics] : null,
                SubscribedTopicRegex = tellsAll ? _subscription.Pattern ?? "" : null,
                ServerAssignor = tellsAll ? _options.ServerAssignor : null,
                TopicPartitions = tellsOwned ? (isJoin ? [] : _owned) : null,
            };
        }
    }

    private void Take(ConsumerGroupHeartbeatRequest request, ConsumerGroupHeartbeatResponse response)
    {
        lock (_gate)
        {
            if (response.ErrorCode is ErrorCode.FencedMemberEpoch or ErrorCode.UnknownMemberId && request.MemberEpoch > 0)
            {
                Lose(response.ErrorCode);
                return;
            }
            if (response.ErrorCode != ErrorCode.None)
                throw GroupErrors.Explain(_options, response.ErrorCode, response.ErrorMessage);
            // It may have been lost meanwhile: then this answer is to a member that is no more.
            if (_isLost) return;
            _member = _member with { Generation = response.MemberEpoch };
            if (response.HeartbeatIntervalMs > 0) Volatile.Write(ref _intervalMs, response.HeartbeatIntervalMs);
            if (response.Assignment is not { } assignment || (_given is null && request.MemberEpoch > 0 && IsOwned(assignment.TopicPartitions))) return;
            _given = assignment.TopicPartitions;
        }
        _buffer.Interrupt();
    }

    private bool IsOwned(List<ConsumerGroupHeartbeat.TopicPartitions> given) => Flat(given).SetEquals(Flat(_owned));

    private static HashSet<(Guid, int)> Flat(List<ConsumerGroupHeartbeat.TopicPartitions> topics) =>
        [.. topics.SelectMany(topic => topic.Partitions, (topic, index) => (topic.TopicId, index))];

    private async Task LeaveAsync(int epoch, CancellationToken cancellationToken)
    {
        await _turn.EnterAsync(cancellationToken);
        try
        {
            if (Member.Generation <= 0) return;
            var request = new ConsumerGroupHeartbeatRequest { GroupId = _options.GroupId!, MemberId = _member.Id, InstanceId = _options.GroupInstanceId, MemberEpoch = epoch };
            lock (_gate) _member = _member with { Generation = 0 };
            await _coordinator.SendAsync("leave", request, response => response.ErrorCode, cancellationToken);
        }
        finally
        {
            _turn.Leave();
        }
    }
}
