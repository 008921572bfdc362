using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.ShareStates;

/// <summary>A change of the state of one share-partition.</summary>
internal abstract class ShareStateRecord(SharePartitionKey key) : StateRecord
{
    public SharePartitionKey Key => key;

    /// <summary>The state that the record makes of another; null for none.</summary>
    public abstract SharePartitionState? Apply(SharePartitionState? state);

    /// <summary>Decodes a record, or answers null where its kind or version is not known here.</summary>
    /// <exception cref="Protocol.Wire.MalformedMessageException">One that is known is damaged.</exception>
    public static ShareStateRecord? Read(in CoordinatorRecord record)
    {
        if (record.Value is { } value && (!VersionedCodec.TryReadVersion(value, out var version) || version != ShareStateValues.Version))
            return null;
        return VersionedCodec.TryReadVersion(record.Key, out var kind) ? kind switch
        {
            ShareSnapshotKey.Version => ShareSnapshotRecord.Read(record.Key, record.Value),
            ShareUpdateKey.Version => ShareUpdateRecord.Read(record.Key, record.Value),
            _ => null,
        } : null;
    }

    private protected static List<ShareStateBatch> ToValue(IEnumerable<ShareStateRange> ranges) => [.. ranges.Select(range => new ShareStateBatch
    {
        FirstOffset = range.First, LastOffset = range.Last, DeliveryState = (sbyte)range.State, DeliveryCount = range.DeliveryCount,
    })];

    public static List<ShareStateRange> From(List<ShareStateBatch> batches) => batches.ConvertAll(batch =>
        new ShareStateRange(batch.FirstOffset, batch.LastOffset, (DeliveryState)batch.DeliveryState, batch.DeliveryCount));
}

/// <summary>The whole state, or (null) that there is none any more.</summary>
internal sealed class ShareSnapshotRecord(SharePartitionKey key, SharePartitionState? state, long nowMs) : ShareStateRecord(key)
{
    public override SharePartitionState? Apply(SharePartitionState? former) =>
        state is null ? null : state with { Updates = 0 };

    public override CoordinatorRecord Encode() => new(
        VersionedCodec.Write(new ShareSnapshotKey { GroupId = Key.Group, TopicId = Key.TopicId, Partition = Key.Partition }, ShareSnapshotKey.Version),
        state is null ? Tombstone : VersionedCodec.Write(ToValue(state), ShareStateValues.Version, isFlexible: true));

    public static ShareSnapshotRecord Read(ReadOnlyMemory<byte> keyBytes, ReadOnlyMemory<byte>? bytes)
    {
        var key = VersionedCodec.Read<ShareSnapshotKey>(keyBytes, ShareSnapshotKey.Version);
        var value = bytes is { } present ? VersionedCodec.Read<ShareStateValues.Snapshot>(present, ShareStateValues.Version, isFlexible: true) : null;
        return new(new(key.GroupId, key.TopicId, key.Partition), value is null ? null : From(value), value?.WriteTimestamp ?? 0);
    }

    private ShareStateValues.Snapshot ToValue(SharePartitionState from) => new()
    {
        SnapshotEpoch = from.SnapshotEpoch,
        StateEpoch = from.StateEpoch,
        LeaderEpoch = from.LeaderEpoch,
        StartOffset = from.StartOffset,
        DeliveryCompleteCount = from.CompleteCount,
        CreateTimestamp = from.CreatedMs,
        WriteTimestamp = nowMs,
        StateBatches = ToValue(from.Ranges),
        WriteNumber = from.WriteNumber,
    };

    private static SharePartitionState From(ShareStateValues.Snapshot value) => new()
    {
        SnapshotEpoch = value.SnapshotEpoch,
        StateEpoch = value.StateEpoch,
        LeaderEpoch = value.LeaderEpoch,
        StartOffset = value.StartOffset,
        CompleteCount = value.DeliveryCompleteCount,
        CreatedMs = value.CreateTimestamp,
        Ranges = [.. From(value.StateBatches)],
        WriteNumber = value.WriteNumber,
    };
}

/// <summary>A change since the snapshot, or (null) that the place is empty again.</summary>
internal sealed class ShareUpdateRecord(SharePartitionKey key, int place, int snapshotEpoch, ShareStateUpdate? update) : ShareStateRecord(key)
{
    // What belongs to an earlier snapshot is left over from compaction.
    public override SharePartitionState? Apply(SharePartitionState? state) =>
        update is { } change && state?.SnapshotEpoch == snapshotEpoch ? state.With(change) : state;

    public override CoordinatorRecord Encode() => new(
        VersionedCodec.Write(
            new ShareUpdateKey { GroupId = Key.Group, TopicId = Key.TopicId, Partition = Key.Partition, Place = place }, ShareUpdateKey.Version),
        update is { } change ? VersionedCodec.Write(ToValue(change), ShareStateValues.Version, isFlexible: true) : Tombstone);

    public static ShareUpdateRecord Read(ReadOnlyMemory<byte> keyBytes, ReadOnlyMemory<byte>? bytes)
    {
        var key = VersionedCodec.Read<ShareUpdateKey>(keyBytes, ShareUpdateKey.Version);
        var value = bytes is { } present ? VersionedCodec.Read<ShareStateValues.Update>(present, ShareStateValues.Version, isFlexible: true) : null;
        ShareStateUpdate? update = value is null
            ? null
            : new(value.LeaderEpoch, value.WriteNumber, value.StartOffset, value.DeliveryCompleteCount, From(value.StateBatches));
        return new(new(key.GroupId, key.TopicId, key.Partition), key.Place, value?.SnapshotEpoch ?? -1, update);
    }

    private ShareStateValues.Update ToValue(in ShareStateUpdate change) => new()
    {
        SnapshotEpoch = snapshotEpoch,
        LeaderEpoch = change.LeaderEpoch,
        StartOffset = change.StartOffset,
        DeliveryCompleteCount = change.CompleteCount,
        StateBatches = ToValue(change.Ranges),
        WriteNumber = change.WriteNumber,
    };
}
