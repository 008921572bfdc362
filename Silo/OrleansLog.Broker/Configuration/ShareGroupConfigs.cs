using System.Diagnostics.CodeAnalysis;
using System.Xml;
using OrleansLog.Coordination.SharePartitions;

namespace OrleansLog.Broker.Configuration;

/// <summary>The configs of a share group: Kafka 4.2's names and defaults. All of them may be changed at any time.</summary>
public static class ShareGroupConfigs
{
    private const string ByDuration = "by_duration:";

    public static readonly ConfigDefinition<ShareOffsetReset> AutoOffsetReset =
        new ConfigDefinition<ShareOffsetReset>("share.auto.offset.reset", ConfigType.String, "latest",
            "Where the group begins in a partition that it has not read: latest, earliest, or by_duration:DURATION for so long ago (by_duration:PT1H).",
            TryParse, null)
        { Allowed = "latest, earliest or by_duration:DURATION" }.Dynamic();

    public static readonly ConfigDefinition<string> IsolationLevel =
        Define.OneOf("share.isolation.level", "read_uncommitted", ["read_uncommitted", "read_committed"],
            "Whether members get the records of transactions that have not ended, or were aborted.").Dynamic();

    public static readonly ConfigDefinition<int> RecordLockDurationMs =
        Define.Int("share.record.lock.duration.ms", 30_000, 1_000,
            "For how long, in milliseconds, a record that was delivered is its member's.", 3_600_000).Dynamic(new ConfigSynonym("group.share.record.lock.duration.ms"));

    public static readonly ConfigDefinition<int> DeliveryCountLimit =
        Define.Int("share.delivery.count.limit", 5, 2,
            "How often a record is delivered before it is given up.", 10).Dynamic(new ConfigSynonym("group.share.delivery.count.limit"));

    public static readonly ConfigDefinition<int> PartitionMaxRecordLocks =
        Define.Int("share.partition.max.record.locks", 2_000, 100,
            "How many records of a partition there may be between the first that is not dealt with and the last that was delivered.", 10_000)
            .Dynamic(new ConfigSynonym("group.share.partition.max.record.locks"));

    public static ConfigCatalogue All { get; } =
        new("group", [AutoOffsetReset, IsolationLevel, RecordLockDurationMs, DeliveryCountLimit, PartitionMaxRecordLocks]);

    /// <summary>How a group is served.</summary>
    public static ShareSettings Settings(ConfigValues config) => new()
    {
        AutoOffsetReset = config.Get(AutoOffsetReset),
        ReadCommitted = config.Get(IsolationLevel) == "read_committed",
        RecordLockDurationMs = config.Get(RecordLockDurationMs),
        DeliveryCountLimit = config.Get(DeliveryCountLimit),
        MaxRecordLocks = config.Get(PartitionMaxRecordLocks),
    };

    private static bool TryParse(string text, [MaybeNullWhen(false)] out ShareOffsetReset value)
    {
        value = text == "earliest" ? ShareOffsetReset.Earliest : ShareOffsetReset.Latest;
        if (text is "earliest" or "latest")
            return true;
        if (!text.StartsWith(ByDuration, StringComparison.Ordinal))
            return false;
        try
        {
            var ago = XmlConvert.ToTimeSpan(text[ByDuration.Length..]);
            value = new(ShareOffsetResetKind.ByDuration, (long)ago.TotalMilliseconds);
            return ago >= TimeSpan.Zero;
        }
        catch (Exception malformed) when (malformed is FormatException or OverflowException)
        {
            return false;
        }
    }
}
