using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.Groups;

/// <summary>A way of assigning that a member can follow, with what it tells the leader in it.</summary>
internal readonly record struct MemberProtocol(string Name, ReadOnlyMemory<byte> Metadata)
{
    public bool Matches(JoinGroupRequest.JoinGroupRequestProtocol other) =>
        Name == other.Name && Metadata.Span.SequenceEqual(other.Metadata.Span);
}

/// <summary>One member of a classic group. Changed by its group only.</summary>
internal sealed class ClassicMember(string id, string? instanceId, string clientId, string clientHost)
{
    public string Id => id;

    /// <summary>The name that a static member keeps over restarts (KIP-345), or null.</summary>
    public string? InstanceId => instanceId;

    public string ClientId => clientId;
    public string ClientHost => clientHost;
    public int SessionTimeoutMs { get; set; }
    public int RebalanceTimeoutMs { get; set; }

    /// <summary>What the member can follow, the one it likes best first. Only the chosen one after a reload.</summary>
    public List<MemberProtocol> Protocols { get; set; } = [];

    public ReadOnlyMemory<byte> Assignment { get; set; }

    /// <summary>Not yet answered for the first time: it does not know its id, and sends no heartbeats.</summary>
    public bool IsNew { get; set; }

    /// <summary>The join that waits for the other members.</summary>
    public PendingReply<JoinGroupResponse>? Join { get; set; }

    /// <summary>The sync that waits for the leader.</summary>
    public PendingReply<SyncGroupResponse>? Sync { get; set; }

    public bool IsStatic => instanceId is not null;

    /// <summary>Whether it is for the group to speak next, so that the member's silence means nothing.</summary>
    public bool IsWaiting => !IsNew && (Join is not null || Sync is not null);

    public ReadOnlyMemory<byte> MetadataFor(string? protocol)
    {
        foreach (var candidate in Protocols)
        {
            if (candidate.Name == protocol)
                return candidate.Metadata;
        }
        return default;
    }

    public bool Matches(List<JoinGroupRequest.JoinGroupRequestProtocol> protocols)
    {
        if (protocols.Count != Protocols.Count)
            return false;
        for (var i = 0; i < protocols.Count; i++)
        {
            if (!Protocols[i].Matches(protocols[i]))
                return false;
        }
        return true;
    }

    /// <summary>The same static member under the id of its new incarnation.</summary>
    public ClassicMember Reborn(string newId, CallContext context) => new(newId, instanceId, context.ClientId, context.ClientHost)
    {
        SessionTimeoutMs = SessionTimeoutMs,
        RebalanceTimeoutMs = RebalanceTimeoutMs,
        Protocols = Protocols,
        Assignment = Assignment,
    };

    public static ClassicMember From(GroupMetadataValue.MemberMetadata member, string protocol) =>
        new(member.MemberId, member.GroupInstanceId, member.ClientId, member.ClientHost)
        {
            SessionTimeoutMs = member.SessionTimeout,
            RebalanceTimeoutMs = member.RebalanceTimeout < 0 ? member.SessionTimeout : member.RebalanceTimeout,
            Protocols = [new MemberProtocol(protocol, member.Subscription)],
            Assignment = member.Assignment,
        };

    public GroupMetadataValue.MemberMetadata ToMetadata(string protocol, ReadOnlyMemory<byte> assignment) => new()
    {
        MemberId = id,
        GroupInstanceId = instanceId,
        ClientId = clientId,
        ClientHost = clientHost,
        RebalanceTimeout = RebalanceTimeoutMs,
        SessionTimeout = SessionTimeoutMs,
        Subscription = MetadataFor(protocol),
        Assignment = assignment,
    };
}
