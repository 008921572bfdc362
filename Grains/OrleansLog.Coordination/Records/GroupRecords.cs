using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Records;

/// <summary>A group commits an offset, or (null) no longer has one.</summary>
internal sealed class OffsetCommitRecord(string group, TopicPartition partition, CommittedOffset? offset) : StateRecord
{
    public string Group => group;
    public TopicPartition Partition => partition;
    public CommittedOffset? Offset => offset;

    public override CoordinatorRecord Encode() => new(
        VersionedCodec.Write(
            new OffsetCommitKey { Group = group, Topic = partition.Topic, Partition = partition.Partition }, OffsetCommitKey.Version),
        offset is { } committed ? Encode(committed) : Tombstone);

    private static ReadOnlyMemory<byte> Encode(in CommittedOffset committed)
    {
        var value = new OffsetCommitValue
        {
            Offset = committed.Offset.Value,
            LeaderEpoch = committed.LeaderEpoch.Value,
            Metadata = committed.Metadata,
            CommitTimestamp = committed.CommitTimestampMs,
            ExpireTimestamp = committed.ExpireTimestampMs ?? -1,
        };
        return VersionedCodec.Write(
            value, committed.ExpireTimestampMs is null ? OffsetCommitValue.Version : OffsetCommitValue.VersionWithExpiry);
    }
}

/// <summary>A classic group has come to a generation, or (null) is no more.</summary>
internal sealed class GroupMetadataRecord(string group, GroupMetadataValue? value) : StateRecord
{
    public string Group => group;

    /// <summary>Not changed once it stands in a record.</summary>
    public GroupMetadataValue? Value => value;

    public override CoordinatorRecord Encode() => new(
        VersionedCodec.Write(new GroupMetadataKey { Group = group }, GroupMetadataKey.Version),
        value is null ? Tombstone : VersionedCodec.Write(value, GroupMetadataValue.Version));
}
