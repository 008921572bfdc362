using Microsoft.Extensions.Logging;
using OrleansLog.Client.Metadata;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Consuming;

/// <summary>
/// A member of a classic group: joins, takes its share, keeps itself alive, and gives up what the group moves. Joining
/// and the application's callbacks run on the reader's turn; heartbeats run beside it.
/// </summary>
internal sealed class Membership : IMembership
{
    private readonly Cluster _cluster;
    private readonly ConsumerOptions _options;
    private readonly Subscription _subscription;
    private readonly FetchBuffer _buffer;
    private readonly Func<CancellationToken, Task> _commitBeforeRebalance;
    private readonly Lane _lane = Lane.Open();
    private readonly GroupCoordinator _coordinator;
    private readonly Heartbeat _heartbeat;
    private readonly Lock _gate = new();
    private GroupMember _member;
    private IPartitionAssignor? _assignor;
    private List<string> _assignedTopics = [];
    private Dictionary<string, int> _assignedCounts = [];
    private bool _isJoining;
    private bool _needsJoin = true;
    private bool _isLost;

    public Membership(
        Cluster cluster, ConsumerOptions options, Subscription subscription, FetchBuffer buffer, Func<CancellationToken, Task> commitBeforeRebalance)
    {
        (_cluster, _options, _subscription, _buffer, _commitBeforeRebalance) = (cluster, options, subscription, buffer, commitBeforeRebalance);
        Holder = _member = new GroupMember("", -1, options.GroupInstanceId);
        _coordinator = new GroupCoordinator(cluster, options.GroupId!, _lane);
        _heartbeat = new Heartbeat(cluster, options, _coordinator, this);
        cluster.Metadata.Refreshed += OnMetadata;
    }

    public GroupMember Member => _member;

    public GroupMember Holder { get; private set; }

    /// <summary>Whether the reader must come here before it reads on.</summary>
    public bool NeedsReader => Volatile.Read(ref _needsJoin) || Volatile.Read(ref _isLost);

    /// <summary>Whether this member leads the group and topics are subscribed to that do not exist yet.</summary>
    public bool MissesTopics => _assignedTopics.Count > _assignedCounts.Count;

    /// <summary>Whether the application is waiting for records, so that it cannot be late.</summary>
    public bool IsReaderWaiting { get; set; }

    /// <summary>Notes that the application is alive.</summary>
    public void NotePoll() => _heartbeat.NotePoll();

    /// <summary>Looks whether the expression that topics are subscribed to by matches other ones now.</summary>
    public async Task MatchTopicsAsync(CancellationToken cancellationToken)
    {
        if (_subscription.Pattern is not { } pattern) return;
        var matched = await TopicPattern.MatchAsync(_cluster, pattern, cancellationToken);
        if (!matched.SequenceEqual(_subscription.Topics)) RequestJoin();
    }

    /// <summary>Makes the member join again with its next read.</summary>
    public void RequestJoin()
    {
        Volatile.Write(ref _needsJoin, true);
        _buffer.Interrupt();
    }

    /// <summary>
    /// Takes note of what the coordinator said to somebody who may be this member no longer: an answer that was
    /// overtaken by a new generation means nothing.
    /// </summary>
    public void Hear(GroupMember asked, ErrorCode error)
    {
        lock (_gate)
        {
            if (_isJoining || asked != _member) return;
            if (error == ErrorCode.RebalanceInProgress) RequestJoin();
            else if (error is ErrorCode.UnknownMemberId or ErrorCode.IllegalGeneration or ErrorCode.FencedInstanceId) Lose(error);
        }
    }

    private void Lose(ErrorCode error)
    {
        _cluster.Logger.LogWarning("Group '{Group}' has dropped this member ({Error}); it joins again with its next read.", _options.GroupId, error);
        _heartbeat.Stop();
        if (error == ErrorCode.FencedInstanceId) _buffer.Fail(GroupErrors.Explain(_options, error));
        if (error is ErrorCode.UnknownMemberId or ErrorCode.FencedInstanceId) _member = _member with { Id = "" };
        _member = _member with { Generation = -1 };
        Volatile.Write(ref _isLost, true);
        RequestJoin();
    }

    /// <summary>Brings the membership up to date: on the reader's turn, before it reads on.</summary>
    public async Task UpdateAsync(CancellationToken cancellationToken)
    {
        for (var backoff = new Backoff(_cluster.Options); NeedsReader;)
        {
            try
            {
                if (Volatile.Read(ref _isLost)) await DropLostAsync(cancellationToken);
                else await RebalanceAsync(cancellationToken);
            }
            catch (OrleansLogException e) when (Cluster.ShouldRetry(e) || GroupErrors.MeansJoinAgain(e.ErrorCode))
            {
                _cluster.Logger.LogWarning("Joining group '{Group}' failed and is tried again: {Problem}", _options.GroupId, e.Message);
                await Task.Delay(backoff.Next(), _cluster.Time, cancellationToken);
                _cluster.Metadata.RefreshBehind();
            }
        }
    }

    public Task<bool> CatchUpAsync(GroupMember asked, CancellationToken cancellationToken) => Task.FromResult(false);

    /// <summary>Leaves the group, unless the member is static and may come back.</summary>
    public async Task LeaveAsync(string reason, CancellationToken cancellationToken)
    {
        _heartbeat.Stop();
        if (_member.Id.Length == 0 || _member.InstanceId is not null) return;
        var request = new LeaveGroupRequest
        {
            GroupId = _options.GroupId!,
            MemberId = _member.Id,
            Members = [new LeaveGroupRequest.MemberIdentity { MemberId = _member.Id, Reason = reason }],
        };
        _member = new GroupMember("", -1, _options.GroupInstanceId);
        await _coordinator.SendAsync("leave", request, response => response.ErrorCode, cancellationToken);
    }

    /// <summary>Leaves the group on behalf of an application that does not read; it joins again when it does.</summary>
    public Task GiveUpAsync(string reason)
    {
        var leaving = LeaveAsync(reason, CancellationToken.None);
        lock (_gate) Lose(ErrorCode.UnknownMemberId);
        return leaving;
    }

    public async ValueTask DisposeAsync()
    {
        _cluster.Metadata.Refreshed -= OnMetadata;
        try
        {
            using var patience = new CancellationTokenSource(IMembership.LeaveTimeMax, _cluster.Time);
            await LeaveAsync("the consumer was disposed", patience.Token);
        }
        catch (Exception e) when (e is OrleansLogException or OperationCanceledException)
        {
            _cluster.Logger.LogDebug(e, "Group '{Group}' was not told that this member left; it finds out by the session timeout.", _options.GroupId);
        }
        _heartbeat.Dispose();
        _cluster.Transport.CloseLane(_lane);
    }

    private async Task DropLostAsync(CancellationToken cancellationToken)
    {
        _heartbeat.Stop();
        Volatile.Write(ref _isLost, false);
        var lost = _subscription.Partitions();
        _subscription.Remove(lost);
        if (lost.Count > 0 && _subscription.Listener is { } listener) await listener.OnLostAsync(lost, cancellationToken);
    }

    private async Task RebalanceAsync(CancellationToken cancellationToken)
    {
        await _commitBeforeRebalance(cancellationToken);
        if (_subscription.Pattern is { } pattern) _subscription.Match(await TopicPattern.MatchAsync(_cluster, pattern, cancellationToken));
        if (_assignor is not { IsCooperative: true }) await RevokeAsync(_subscription.Partitions(), cancellationToken);
        _heartbeat.Stop();
        lock (_gate) (_isJoining, _needsJoin) = (true, false);
        try
        {
            var joined = await JoinAsync(cancellationToken);
            var share = await SyncAsync(joined, cancellationToken);
            lock (_gate) (_isJoining, Holder) = (false, _member);
            _heartbeat.Start();
            await TakeShareAsync(share, cancellationToken);
        }
        catch
        {
            lock (_gate) (_isJoining, _needsJoin) = (false, true);
            throw;
        }
    }

    private async Task<JoinGroupResponse> JoinAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var response = await _coordinator.SendOnceAsync(JoinRequest(), response => response.ErrorCode, _options.PollIntervalMsMax, cancellationToken);
            if (response.ErrorCode == ErrorCode.None)
            {
                _member = _member with { Id = response.MemberId, Generation = response.GenerationId };
                return response;
            }
            if (response.ErrorCode == ErrorCode.MemberIdRequired) _member = _member with { Id = response.MemberId };
            else if (response.ErrorCode is ErrorCode.UnknownMemberId or ErrorCode.IllegalGeneration) _member = new GroupMember("", -1, _options.GroupInstanceId);
            else throw GroupErrors.Explain(_options, response.ErrorCode);
        }
    }

    private JoinGroupRequest JoinRequest()
    {
        var owned = _subscription.Partitions();
        return new JoinGroupRequest
        {
            GroupId = _options.GroupId!,
            SessionTimeoutMs = _options.SessionTimeoutMs,
            RebalanceTimeoutMs = _options.PollIntervalMsMax,
            MemberId = _member.Id,
            GroupInstanceId = _member.InstanceId,
            ProtocolType = ConsumerProtocol.Type,
            Protocols =
            [
                .. _options.Assignors.Select(assignor => new JoinGroupRequest.JoinGroupRequestProtocol
                {
                    Name = assignor.Name,
                    Metadata = GroupMessages.WriteSubscription(
                        _subscription.Topics, assignor.IsCooperative ? owned : [], _member.Generation, _options.Rack),
                }),
            ],
        };
    }

    private async Task<List<TopicPartition>> SyncAsync(JoinGroupResponse joined, CancellationToken cancellationToken)
    {
        (_assignedTopics, _assignedCounts) = ([], []);
        _assignor = _options.Assignors.FirstOrDefault(assignor => assignor.Name == joined.ProtocolName)
            ?? throw new OrleansLogException(ErrorCode.InconsistentGroupProtocol, $"Group '{_options.GroupId}' chose the assignor '{joined.ProtocolName}', which this consumer does not have.");
        var request = new SyncGroupRequest
        {
            GroupId = _options.GroupId!,
            GenerationId = _member.Generation,
            MemberId = _member.Id,
            GroupInstanceId = _member.InstanceId,
            ProtocolType = ConsumerProtocol.Type,
            ProtocolName = joined.ProtocolName,
            Assignments = joined.Leader == joined.MemberId && !joined.SkipAssignment ? await AssignAsync(joined, cancellationToken) : [],
        };
        var response = await _coordinator.SendOnceAsync(request, response => response.ErrorCode, _options.PollIntervalMsMax, cancellationToken);
        if (response.ErrorCode == ErrorCode.UnknownMemberId) _member = new GroupMember("", -1, _options.GroupInstanceId);
        if (response.ErrorCode != ErrorCode.None) throw GroupErrors.Explain(_options, response.ErrorCode);
        return GroupMessages.ReadAssignment(response.Assignment);
    }

    private async Task<List<SyncGroupRequest.SyncGroupRequestAssignment>> AssignAsync(JoinGroupResponse joined, CancellationToken cancellationToken)
    {
        var members = joined.Members.ConvertAll(member => GroupMessages.ReadSubscription(member.MemberId, member.GroupInstanceId, member.Metadata));
        _assignedTopics = [.. members.SelectMany(member => member.Topics).Distinct()];
        foreach (var topic in _assignedTopics) _cluster.Metadata.Name(topic, allowCreation: false);
        await _cluster.Metadata.RefreshAsync(cancellationToken);
        _assignedCounts = CountPartitions();
        return
        [
            .. _assignor!.Assign(members, _assignedCounts).Select(share => new SyncGroupRequest.SyncGroupRequestAssignment
            {
                MemberId = share.Key,
                Assignment = GroupMessages.WriteAssignment(share.Value),
            }),
        ];
    }

    private Dictionary<string, int> CountPartitions()
    {
        var known = _cluster.Metadata.View.Topics;
        return _assignedTopics.Where(topic => known.TryGetValue(topic, out var view) && !view.Partitions.IsEmpty)
            .ToDictionary(topic => topic, topic => known[topic].Partitions.Length);
    }

    // The leader answers for new partitions, and for topics that come into being after they were subscribed to.
    private void OnMetadata()
    {
        if (_isJoining || _member.Generation < 0) return;
        if (CountPartitions().Any(pair => _assignedCounts.GetValueOrDefault(pair.Key) != pair.Value)) RequestJoin();
    }

    private async Task TakeShareAsync(List<TopicPartition> share, CancellationToken cancellationToken)
    {
        var revoked = _subscription.Partitions().Except(share).ToList();
        if (revoked.Count > 0)
        {
            await RevokeAsync(revoked, cancellationToken);
            // They may only be given to others once this member has said that it let go of them.
            RequestJoin();
        }
        var added = _subscription.Replace(share);
        foreach (var state in added) state.NeedsCommitted = true;
        foreach (var topic in share.Select(partition => partition.Topic).Distinct()) _cluster.Metadata.Name(topic, allowCreation: false);
        _cluster.Logger.LogInformation("Group '{Group}' generation {Generation}: this member reads {Count} partitions.", _options.GroupId, _member.Generation, share.Count);
        if (_subscription.Listener is { } listener) await listener.OnAssignedAsync([.. added.Select(state => state.Partition)], cancellationToken);
    }

    private async Task RevokeAsync(List<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        if (partitions.Count == 0) return;
        if (_subscription.Listener is { } listener) await listener.OnRevokedAsync(partitions, cancellationToken);
        _subscription.Remove(partitions);
    }
}
