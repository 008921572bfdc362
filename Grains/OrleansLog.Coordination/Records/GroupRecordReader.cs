using OrleansLog.Coordination.ConsumerGroups;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Coordination.ShareGroups;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Records;

/// <summary>Reads the records of <c>__consumer_offsets</c>, ours and those of other brokers.</summary>
internal static class GroupRecordReader
{
    /// <summary>
    /// Decodes a record. Answers null for keys and values of kinds or versions that are not known here: a later
    /// release may have written them. Throws <see cref="Protocol.Wire.MalformedMessageException"/> when a known one
    /// is damaged.
    /// </summary>
    public static StateRecord? Read(in CoordinatorRecord record)
    {
        if (!VersionedCodec.TryReadVersion(record.Key, out var version))
            return null;
        return version switch
        {
            0 or OffsetCommitKey.Version => ReadOffset(VersionedCodec.Read<OffsetCommitKey>(record.Key, version), record.Value),
            GroupMetadataKey.Version => ReadGroup(VersionedCodec.Read<GroupMetadataKey>(record.Key, version), record.Value),
            _ => (StateRecord?)ConsumerGroupRecordReader.Read(record, version) ?? ShareGroupRecordReader.Read(record, version),
        };
    }

    private static OffsetCommitRecord? ReadOffset(OffsetCommitKey key, ReadOnlyMemory<byte>? bytes)
    {
        var partition = new TopicPartition(key.Topic, key.Partition);
        if (bytes is not { } present)
            return new OffsetCommitRecord(key.Group, partition, null);
        if (!VersionedCodec.TryReadVersion(present, out var version) || version is < 0 or > OffsetCommitValue.FlexibleVersion)
            return null;
        var value = VersionedCodec.Read<OffsetCommitValue>(present, version, version >= OffsetCommitValue.FlexibleVersion);
        return new OffsetCommitRecord(key.Group, partition, new CommittedOffset(
            new Offset(value.Offset), new LeaderEpoch(value.LeaderEpoch), value.Metadata, value.CommitTimestamp,
            value.ExpireTimestamp < 0 ? null : value.ExpireTimestamp));
    }

    private static GroupMetadataRecord? ReadGroup(GroupMetadataKey key, ReadOnlyMemory<byte>? bytes)
    {
        if (bytes is not { } present)
            return new GroupMetadataRecord(key.Group, null);
        if (!VersionedCodec.TryReadVersion(present, out var version) || version is < 0 or > GroupMetadataValue.FlexibleVersion)
            return null;
        // The loader's buffers are lent; a group keeps the subscriptions and assignments.
        return new GroupMetadataRecord(key.Group, VersionedCodec.Read<GroupMetadataValue>(
            present.ToArray(), version, version >= GroupMetadataValue.FlexibleVersion));
    }
}
