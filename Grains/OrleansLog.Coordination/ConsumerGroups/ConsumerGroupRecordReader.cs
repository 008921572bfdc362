using OrleansLog.Coordination.Records;

namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>Reads the records of consumer groups.</summary>
internal static class ConsumerGroupRecordReader
{
    /// <summary>Decodes a record, or answers null where its kind or the version of its value is not known here.</summary>
    /// <exception cref="Protocol.Wire.MalformedMessageException">One that is known is damaged.</exception>
    public static ConsumerGroupRecord? Read(in CoordinatorRecord record, short kind)
    {
        if (record.Value is { } value && (!VersionedCodec.TryReadVersion(value, out var version) || version != ConsumerGroupValues.Version))
            return null;
        return kind switch
        {
            ConsumerGroupKeys.Epoch => new GroupEpochRecord(GroupOf(record), Value<ConsumerGroupValues.Epoch>(record)?.Value),
            ConsumerGroupKeys.TargetEpoch => new TargetEpochRecord(GroupOf(record), Value<ConsumerGroupValues.Epoch>(record)?.Value),
            ConsumerGroupKeys.Topics => ReadTopics(record),
            ConsumerGroupKeys.Pattern => ReadPattern(record),
            ConsumerGroupKeys.MemberSubscription => ReadSubscription(record),
            ConsumerGroupKeys.Target => ReadTarget(record),
            ConsumerGroupKeys.MemberAssignment => ReadAssignment(record),
            _ => null,
        };
    }

    private static GroupTopicsRecord ReadTopics(in CoordinatorRecord record)
    {
        if (Value<ConsumerGroupValues.Topics>(record) is not { } value)
            return new GroupTopicsRecord(GroupOf(record), null);
        var topics = ConsumerGroupState.None.Topics.SetItems(value.Entries.Select(topic =>
            KeyValuePair.Create(topic.TopicName, new SubscribedTopic(topic.TopicId, topic.PartitionCount))));
        return new GroupTopicsRecord(GroupOf(record), topics);
    }

    private static PatternRecord ReadPattern(in CoordinatorRecord record)
    {
        var (key, value) = (Part(record), Value<ConsumerGroupValues.Pattern>(record));
        return new PatternRecord(key.Group, key.Part, value is null ? null : ConsumerGroupState.NoNames.Union(value.Topics), value?.Timestamp ?? 0);
    }

    private static MemberSubscriptionRecord ReadSubscription(in CoordinatorRecord record)
    {
        var (key, value) = (Part(record), Value<ConsumerGroupValues.MemberSubscription>(record));
        return new MemberSubscriptionRecord(key.Group, key.Part, value is null ? null : MemberSubscriptionRecord.From(value));
    }

    private static TargetRecord ReadTarget(in CoordinatorRecord record)
    {
        var (key, value) = (Part(record), Value<ConsumerGroupValues.Target>(record));
        return new TargetRecord(key.Group, key.Part, value is null ? null : PartitionLists.From(value.Partitions));
    }

    private static MemberAssignmentRecord ReadAssignment(in CoordinatorRecord record)
    {
        var (key, value) = (Part(record), Value<ConsumerGroupValues.MemberAssignment>(record));
        return new MemberAssignmentRecord(key.Group, key.Part, value is null ? null : MemberAssignmentRecord.From(value));
    }

    private static string GroupOf(in CoordinatorRecord record)
    {
        VersionedCodec.TryReadVersion(record.Key, out var version);
        return VersionedCodec.Read<ConsumerGroupKey>(record.Key, version).Group;
    }

    private static ConsumerGroupPartKey Part(in CoordinatorRecord record)
    {
        VersionedCodec.TryReadVersion(record.Key, out var version);
        return VersionedCodec.Read<ConsumerGroupPartKey>(record.Key, version);
    }

    /// <summary>The loader's buffers are lent; members keep their subscriptions.</summary>
    private static T? Value<T>(in CoordinatorRecord record) where T : class, Protocol.Wire.IMessage, new() =>
        record.Value is { } value ? VersionedCodec.Read<T>(value.ToArray(), ConsumerGroupValues.Version, isFlexible: true) : null;
}
