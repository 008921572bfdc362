using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>A group as listed. The type is for instance <c>classic</c> or <c>consumer</c>, the protocol type <c>consumer</c>.</summary>
public sealed record GroupListing(string GroupId, string ProtocolType, string State, string GroupType);

/// <summary>A group and its members.</summary>
public sealed record GroupDescription(
    string GroupId,
    ErrorCode Error,
    string State,
    string ProtocolType,
    string Assignor,
    BrokerId Coordinator,
    IReadOnlyList<GroupMemberDescription> Members);

/// <summary>A member of a group and what it reads.</summary>
public sealed record GroupMemberDescription(
    string MemberId,
    string? GroupInstanceId,
    string ClientId,
    string ClientHost,
    IReadOnlyList<TopicPartition> Assignment);
