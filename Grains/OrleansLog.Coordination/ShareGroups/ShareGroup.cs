using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.ShareGroups;

/// <summary>
/// A group whose members share the records of partitions one by one (KIP-932). It commits no offsets: how far it has come
/// stands with the share coordinators.
/// </summary>
internal sealed class ShareGroup(string id) : Group(id)
{
    /// <summary>Durable: changes in replay only.</summary>
    public ShareGroupState State { get; set; } = ShareGroupState.None;

    /// <summary>The topics that the group has looked at last; with other ones it has to look again.</summary>
    public object? SeenTopics { get; set; }

    public override string TypeName => "share";

    public override string StateName => State.Members.IsEmpty ? "Empty" : "Stable";

    public override string ProtocolTypeName => "share";
    public override bool IsEmpty => State.Members.IsEmpty;
    public override bool HasMetadata => !State.IsNone;
    public override bool IsForgettable => State.IsNone && Offsets.Count == 0;

    /// <summary>An empty group keeps its place in the topics for as long as nobody deletes it.</summary>
    public override bool Expires => false;

    public override ErrorCode ValidateCommit(string memberId, string? instanceId, int generation) => ErrorCode.GroupIdNotFound;

    public override ErrorCode ValidateFetch(string? memberId, int epoch) => ErrorCode.GroupIdNotFound;

    public override ErrorCode ValidateOffsetDelete() => ErrorCode.GroupIdNotFound;

    public override bool IsSubscribedTo(string topic) => State.Members.Values.Any(member => member.Topics.Contains(topic));

    public override long? RetentionStartMs(in CommittedOffset offset) => offset.CommitTimestampMs;

    public override IEnumerable<StateRecord> Tombstones() =>
    [
        .. State.Members.Keys.SelectMany(id => Tombstones(Id, id)),
        new ShareTopicsRecord(Id, null),
        new ShareEpochRecord(Id, null, 0),
    ];

    /// <summary>The records that leave nothing of a member.</summary>
    public static IEnumerable<ShareGroupRecord> Tombstones(string group, string memberId) =>
    [
        new ShareAssignmentRecord(group, memberId, null),
        new ShareMemberRecord(group, memberId, null),
    ];
}
