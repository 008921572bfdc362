using System.Collections.Immutable;
using OrleansLog.Coordination.ConsumerGroups;
using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Coordination.ShareGroups;

/// <summary>A change of one share group, with Kafka's key and value.</summary>
internal abstract class ShareGroupRecord(string group) : StateRecord
{
    public string Group => group;

    /// <summary>Whether the record takes something away; such a record never begins a group.</summary>
    public abstract bool IsTombstone { get; }

    /// <summary>The state that the record makes of another.</summary>
    public abstract ShareGroupState Apply(ShareGroupState state);

    private protected CoordinatorRecord Encode(short kind, IMessage? value) =>
        Encode(VersionedCodec.Write(new ConsumerGroupKey { Group = group }, kind), value);

    private protected CoordinatorRecord Encode(short kind, string part, IMessage? value) =>
        Encode(VersionedCodec.Write(new ConsumerGroupPartKey { Group = group, Part = part }, kind), value);

    private static CoordinatorRecord Encode(ReadOnlyMemory<byte> key, IMessage? value) =>
        new(key, value is null ? Tombstone : VersionedCodec.Write(value, ShareGroupValues.Version, isFlexible: true));
}

/// <summary>The group has come to an epoch, or (null) is no more.</summary>
internal sealed class ShareEpochRecord(string group, int? epoch, long topicsHash) : ShareGroupRecord(group)
{
    public override bool IsTombstone => epoch is null;

    public override ShareGroupState Apply(ShareGroupState state) => state with { Epoch = epoch, TopicsHash = topicsHash };

    public override CoordinatorRecord Encode() =>
        Encode(ShareGroupKeys.Epoch, epoch is { } value ? new ShareGroupValues.Epoch { Value = value, MetadataHash = topicsHash } : null);
}

/// <summary>Who a member is and what it would like, or (null) that it is no more.</summary>
internal sealed class ShareMemberRecord(string group, string memberId, ShareMember? member) : ShareGroupRecord(group)
{
    public override bool IsTombstone => member is null;

    public override ShareGroupState Apply(ShareGroupState state)
    {
        if (member is null)
            return state with { Members = state.Members.Remove(memberId) };
        var former = state.Find(memberId) ?? new ShareMember(memberId);
        var said = former with { RackId = member.RackId, ClientId = member.ClientId, ClientHost = member.ClientHost, Topics = member.Topics };
        return state with { Members = state.Members.SetItem(memberId, said) };
    }

    public override CoordinatorRecord Encode() => Encode(ShareGroupKeys.Member, memberId, member is null ? null : new ShareGroupValues.Member
    {
        RackId = member.RackId,
        ClientId = member.ClientId,
        ClientHost = member.ClientHost,
        Topics = [.. member.Topics],
    });
}

/// <summary>What a member was told, or (null) that it was told nothing.</summary>
internal sealed class ShareAssignmentRecord(string group, string memberId, ShareMember? member) : ShareGroupRecord(group)
{
    public override bool IsTombstone => member is null;

    public override ShareGroupState Apply(ShareGroupState state)
    {
        if (state.Find(memberId) is not { } former)
            return member is null ? state : state with { Members = state.Members.SetItem(memberId, member) };
        var told = former with
        {
            Epoch = member?.Epoch ?? 0,
            PreviousEpoch = member?.PreviousEpoch ?? -1,
            Assigned = member?.Assigned ?? PartitionSet.Empty,
        };
        return state with { Members = state.Members.SetItem(memberId, told) };
    }

    public override CoordinatorRecord Encode() => Encode(ShareGroupKeys.MemberAssignment, memberId, member is null ? null : new ShareGroupValues.MemberAssignment
    {
        MemberEpoch = member.Epoch,
        PreviousMemberEpoch = member.PreviousEpoch,
        Assigned = PartitionLists.ToValue(member.Assigned),
    });
}

/// <summary>How far the states of share-partitions are made, or (null) that there are none.</summary>
internal sealed class ShareTopicsRecord(string group, ShareTopics? topics) : ShareGroupRecord(group)
{
    public override bool IsTombstone => topics is null;

    public override ShareGroupState Apply(ShareGroupState state) => state with { Topics = topics ?? ShareTopics.None };

    public override CoordinatorRecord Encode() => Encode(ShareGroupKeys.Topics, topics is null ? null : new ShareGroupValues.Topics
    {
        Initializing = ToValue(topics, topics.Initializing),
        Initialized = ToValue(topics, topics.Initialized),
        Deleting = PartitionLists.ByTopic(topics.Deleting, (id, indexes) => new ShareGroupValues.TopicInfo
        {
            TopicId = id,
            TopicName = topics.Names.GetValueOrDefault(id, ""),
            Partitions = indexes,
        }),
    });

    private static List<ShareGroupValues.TopicPartitionsInfo> ToValue(ShareTopics topics, PartitionSet partitions) =>
        PartitionLists.ByTopic(partitions, (id, indexes) => new ShareGroupValues.TopicPartitionsInfo
        {
            TopicId = id,
            TopicName = topics.Names.GetValueOrDefault(id, ""),
            Partitions = indexes,
        });
}

/// <summary>Reads the records of share groups.</summary>
internal static class ShareGroupRecordReader
{
    /// <summary>Decodes a record, or answers null where its kind or the version of its value is not known here.</summary>
    /// <exception cref="MalformedMessageException">One that is known is damaged.</exception>
    public static ShareGroupRecord? Read(in CoordinatorRecord record, short kind)
    {
        if (record.Value is { } value && (!VersionedCodec.TryReadVersion(value, out var version) || version != ShareGroupValues.Version))
            return null;
        return kind switch
        {
            ShareGroupKeys.Epoch => ReadEpoch(record, kind),
            ShareGroupKeys.Member => ReadMember(record, kind),
            ShareGroupKeys.MemberAssignment => ReadAssignment(record, kind),
            ShareGroupKeys.Topics => ReadTopics(record, kind),
            _ => null,
        };
    }

    private static ShareEpochRecord ReadEpoch(in CoordinatorRecord record, short kind)
    {
        var value = Value<ShareGroupValues.Epoch>(record);
        return new(GroupOf(record, kind), value?.Value, value?.MetadataHash ?? 0);
    }

    private static ShareMemberRecord ReadMember(in CoordinatorRecord record, short kind)
    {
        var (key, value) = (VersionedCodec.Read<ConsumerGroupPartKey>(record.Key, kind), Value<ShareGroupValues.Member>(record));
        return new(key.Group, key.Part, value is null ? null : new ShareMember(key.Part)
        {
            RackId = value.RackId,
            ClientId = value.ClientId,
            ClientHost = value.ClientHost,
            Topics = ConsumerGroupState.NoNames.Union(value.Topics),
        });
    }

    private static ShareAssignmentRecord ReadAssignment(in CoordinatorRecord record, short kind)
    {
        var (key, value) = (VersionedCodec.Read<ConsumerGroupPartKey>(record.Key, kind), Value<ShareGroupValues.MemberAssignment>(record));
        return new(key.Group, key.Part, value is null ? null : new ShareMember(key.Part)
        {
            Epoch = value.MemberEpoch,
            PreviousEpoch = value.PreviousMemberEpoch,
            Assigned = PartitionLists.From(value.Assigned),
        });
    }

    private static ShareTopicsRecord ReadTopics(in CoordinatorRecord record, short kind)
    {
        if (Value<ShareGroupValues.Topics>(record) is not { } value)
            return new(GroupOf(record, kind), null);
        var names = value.Initializing.Concat(value.Initialized).Select(topic => KeyValuePair.Create(topic.TopicId, topic.TopicName))
            .Concat(value.Deleting.Select(topic => KeyValuePair.Create(topic.TopicId, topic.TopicName)));
        return new(GroupOf(record, kind), new ShareTopics
        {
            Initializing = From(value.Initializing),
            Initialized = From(value.Initialized),
            Deleting = [.. value.Deleting.SelectMany(topic => topic.Partitions, (topic, index) => new TopicIdPartition(topic.TopicId, index))],
            Names = ImmutableSortedDictionary<Guid, string>.Empty.SetItems(names),
        });
    }

    private static PartitionSet From(List<ShareGroupValues.TopicPartitionsInfo> topics) =>
        [.. topics.SelectMany(topic => topic.Partitions, (topic, index) => new TopicIdPartition(topic.TopicId, index))];

    private static string GroupOf(in CoordinatorRecord record, short kind) => VersionedCodec.Read<ConsumerGroupKey>(record.Key, kind).Group;

    private static T? Value<T>(in CoordinatorRecord record) where T : class, IMessage, new() =>
        record.Value is { } value ? VersionedCodec.Read<T>(value, ShareGroupValues.Version, isFlexible: true) : null;
}
