using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Client;

/// <summary>One classic group: a round of joining ends when every member has joined again.</summary>
public sealed partial class FakeCluster
{
    private readonly Dictionary<string, FakeMember> _members = [];
    private int _generation;
    private int _lastMember;

    /// <summary>The committed offsets.</summary>
    public Dictionary<TopicPartition, long> Committed { get; } = [];

    /// <summary>The members' ids.</summary>
    public IReadOnlyCollection<string> Members => _members.Keys;

    public int Generation => _generation;

    /// <summary>Throws a member out, as when its session has timed out.</summary>
    public void Expel(string memberId)
    {
        lock (_gate) _members.Remove(memberId);
    }

    private FindCoordinatorResponse FindCoordinator()
    {
        var error = NextError(ApiKey.FindCoordinator);
        return new()
        {
            NodeId = Brokers[0],
            ErrorCode = error,
            Coordinators = [new FindCoordinatorResponse.Coordinator { NodeId = Brokers[0], ErrorCode = error }],
        };
    }

    private async ValueTask<JoinGroupResponse> JoinAsync(JoinGroupRequest request, CancellationToken cancellationToken)
    {
        Task<JoinGroupResponse> joined;
        lock (_gate)
        {
            if (NextError(ApiKey.JoinGroup) is var error && error != ErrorCode.None) return new() { ErrorCode = error };
            if (request.MemberId.Length > 0 && !_members.ContainsKey(request.MemberId)) return new() { ErrorCode = ErrorCode.UnknownMemberId };
            var id = request.MemberId.Length > 0 ? request.MemberId : $"m{++_lastMember}";
            if (request.MemberId.Length == 0)
            {
                _members[id] = new FakeMember();
                return new() { ErrorCode = ErrorCode.MemberIdRequired, MemberId = id };
            }
            var member = _members[id];
            (member.Request, member.Joining) = (request, new TaskCompletionSource<JoinGroupResponse>(TaskCreationOptions.RunContinuationsAsynchronously));
            joined = member.Joining.Task;
            CompleteJoinIfAllAreHere();
        }
        return await joined.WaitAsync(cancellationToken);
    }

    private void CompleteJoinIfAllAreHere()
    {
        if (_members.Count == 0 || _members.Values.Any(member => member.Joining is null)) return;
        _generation++;
        var protocol = _members.Values.First().Request!.Protocols.First(one =>
            _members.Values.All(member => member.Request!.Protocols.Exists(other => other.Name == one.Name))).Name;
        var leader = _members.Keys.First();
        foreach (var (id, member) in _members.ToList())
        {
            var response = new JoinGroupResponse { GenerationId = _generation, ProtocolName = protocol, ProtocolType = "consumer", Leader = leader, MemberId = id };
            if (id == leader)
            {
                response.Members = [.. _members.Select(pair => new JoinGroupResponse.JoinGroupResponseMember
                {
                    MemberId = pair.Key,
                    GroupInstanceId = pair.Value.Request!.GroupInstanceId,
                    Metadata = pair.Value.Request!.Protocols.First(one => one.Name == protocol).Metadata,
                })];
            }
            var joining = member.Joining!;
            (member.Joining, member.Synced) = (null, new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously));
            (member.Generation, member.HasToJoin) = (_generation, false);
            joining.SetResult(response);
        }
    }

    private async ValueTask<SyncGroupResponse> SyncAsync(SyncGroupRequest request, CancellationToken cancellationToken)
    {
        Task<byte[]> synced;
        lock (_gate)
        {
            if (NextError(ApiKey.SyncGroup) is var error && error != ErrorCode.None) return new() { ErrorCode = error };
            if (Check(request.MemberId, request.GenerationId) is var state && state != ErrorCode.None) return new() { ErrorCode = state };
            foreach (var assignment in request.Assignments) _members[assignment.MemberId].Synced!.SetResult(assignment.Assignment.ToArray());
            synced = _members[request.MemberId].Synced!.Task;
        }
        return new() { Assignment = await synced.WaitAsync(cancellationToken) };
    }

    private HeartbeatResponse Beat(HeartbeatRequest request)
    {
        lock (_gate)
        {
            var error = NextError(ApiKey.Heartbeat);
            if (error == ErrorCode.None) error = Check(request.MemberId, request.GenerationId);
            return new() { ErrorCode = error };
        }
    }

    private ErrorCode Check(string memberId, int generation)
    {
        if (!_members.TryGetValue(memberId, out var member)) return ErrorCode.UnknownMemberId;
        if (member.Generation != generation) return ErrorCode.IllegalGeneration;
        return _members.Values.Any(other => other.Joining is not null || other.HasToJoin || other.Generation != generation)
            ? ErrorCode.RebalanceInProgress
            : ErrorCode.None;
    }

    private LeaveGroupResponse Leave(LeaveGroupRequest request)
    {
        lock (_gate)
        {
            _members.Remove(request.MemberId);
            foreach (var member in request.Members) _members.Remove(member.MemberId);
            foreach (var member in _members.Values) member.HasToJoin = true;
            CompleteJoinIfAllAreHere();
        }
        return new LeaveGroupResponse();
    }

    private OffsetCommitResponse Commit(OffsetCommitRequest request)
    {
        lock (_gate)
        {
            var error = NextError(ApiKey.OffsetCommit);
            if (error == ErrorCode.None && request.MemberId.Length > 0)
                error = !_members.TryGetValue(request.MemberId, out var member) ? ErrorCode.UnknownMemberId
                    : member.Generation != request.GenerationIdOrMemberEpoch ? ErrorCode.IllegalGeneration : ErrorCode.None;
            var response = new OffsetCommitResponse();
            foreach (var topic in request.Topics)
            {
                foreach (var partition in topic.Partitions.Where(_ => error == ErrorCode.None))
                    Committed[new TopicPartition(topic.Name, partition.PartitionIndex)] = partition.CommittedOffset;
                response.Topics.Add(new OffsetCommitResponse.OffsetCommitResponseTopic
                {
                    Name = topic.Name,
                    Partitions = [.. topic.Partitions.Select(partition => new OffsetCommitResponse.OffsetCommitResponsePartition { PartitionIndex = partition.PartitionIndex, ErrorCode = error })],
                });
            }
            return response;
        }
    }

    private OffsetFetchResponse FetchOffsets(OffsetFetchRequest request)
    {
        lock (_gate)
        {
            return new OffsetFetchResponse
            {
                Topics = [.. (request.Topics ?? []).Select(topic => new OffsetFetchResponse.OffsetFetchResponseTopic
                {
                    Name = topic.Name,
                    Partitions = [.. topic.PartitionIndexes.Select(partition => new OffsetFetchResponse.OffsetFetchResponsePartition
                    {
                        PartitionIndex = partition,
                        CommittedOffset = Committed.GetValueOrDefault(new TopicPartition(topic.Name, partition), -1),
                    })],
                })],
                Groups = request.Groups.Count == 0 ? [] :
                [
                    new OffsetFetchResponse.OffsetFetchResponseGroup
                    {
                        GroupId = request.Groups[0].GroupId,
                        ErrorCode = NextError(ApiKey.OffsetFetch),
                        Topics = [.. request.Groups[0].Topics!.Select(topic => new OffsetFetchResponse.OffsetFetchResponseTopics
                        {
                            Name = topic.Name,
                            Partitions = [.. topic.PartitionIndexes.Select(partition => new OffsetFetchResponse.OffsetFetchResponsePartitions
                            {
                                PartitionIndex = partition,
                                CommittedOffset = Committed.GetValueOrDefault(new TopicPartition(topic.Name, partition), -1),
                            })],
                        })],
                    },
                ],
            };
        }
    }

    private sealed class FakeMember
    {
        public JoinGroupRequest? Request;
        public TaskCompletionSource<JoinGroupResponse>? Joining;
        public TaskCompletionSource<byte[]>? Synced;
        public int Generation = -1;
        public bool HasToJoin;
    }
}
