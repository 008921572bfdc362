using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>A group as listed. The type is for instance <c>classic</c>, <c>consumer</c> or <c>share</c>, the protocol type <c>consumer</c>.</summary>
public sealed record GroupListing(string GroupId, string ProtocolType, string State, string GroupType);

/// <summary>A group and its members.</summary>
public sealed record GroupDescription(
    string GroupId,
    ErrorCode Error,
    string State,
    string ProtocolType,
    string Assignor,
    BrokerId Coordinator,
    IReadOnlyList<GroupMemberDescription> Members)
{
    /// <summary>Who assigns: its members (<c>classic</c>) or its coordinator (<c>consumer</c>, KIP-848; <c>share</c>, KIP-932).</summary>
    public string GroupType { get; init; } = "classic";

    /// <summary>Counts the changes of a consumer group; 0 for a classic one.</summary>
    public int Epoch { get; init; }

    /// <summary>The epoch that its assignment was made for; 0 for a classic group.</summary>
    public int AssignmentEpoch { get; init; }
}

/// <summary>How far a share group has come in a partition.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Start">All before it is dealt with; null where the group has not begun yet.</param>
/// <param name="Lag">How many offsets are not dealt with, those between acknowledged ones too; null where that is not known.</param>
/// <param name="Error">Why there is nothing.</param>
public sealed record ShareGroupOffset(TopicPartition Partition, Offset? Start, long? Lag, ErrorCode Error);

/// <summary>A member of a group and what it reads.</summary>
public sealed record GroupMemberDescription(
    string MemberId,
    string? GroupInstanceId,
    string ClientId,
    string ClientHost,
    IReadOnlyList<TopicPartition> Assignment)
{
    /// <summary>The epoch that the member of a consumer group has reached; -1 for one of a classic group.</summary>
    public int Epoch { get; init; } = -1;

    /// <summary>What the member of a consumer group is to read in the end; for one of a classic group, what it reads.</summary>
    public IReadOnlyList<TopicPartition> Target { get; init; } = Assignment;

    /// <summary>Whether it speaks the classic protocol.</summary>
    public bool IsClassic { get; init; } = true;
}
