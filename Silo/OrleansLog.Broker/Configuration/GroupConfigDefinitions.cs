using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Xml;
using OrleansLog.Coordination;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Protocol;

namespace OrleansLog.Broker.Configuration;

/// <summary>The configs of a group: Kafka 4.2's names and defaults. All of them may be changed at any time.</summary>
public static class GroupConfigDefinitions
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

    public static readonly ConfigDefinition<int> ConsumerSessionTimeoutMs =
        Define.Int("consumer.session.timeout.ms", 45_000, 1, "After how long a silence, in milliseconds, a member of the group is given up (KIP-848).")
            .Dynamic(new ConfigSynonym("group.consumer.session.timeout.ms"));

    public static readonly ConfigDefinition<int> ConsumerHeartbeatIntervalMs =
        Define.Int("consumer.heartbeat.interval.ms", 5_000, 1, "How often, in milliseconds, members of the group are told to be heard of (KIP-848).")
            .Dynamic(new ConfigSynonym("group.consumer.heartbeat.interval.ms"));

    public static readonly ConfigDefinition<int> ShareSessionTimeoutMs =
        Define.Int("share.session.timeout.ms", 45_000, 1, "After how long a silence, in milliseconds, a member of the share group is given up.")
            .Dynamic(new ConfigSynonym("group.share.session.timeout.ms"));

    public static readonly ConfigDefinition<int> ShareHeartbeatIntervalMs =
        Define.Int("share.heartbeat.interval.ms", 5_000, 1, "How often, in milliseconds, members of the share group are told to be heard of.")
            .Dynamic(new ConfigSynonym("group.share.heartbeat.interval.ms"));

    private static readonly (ConfigDefinition<int> Own, ConfigDefinition<int> Min, ConfigDefinition<int> Max)[] Bounds =
    [
        (ConsumerSessionTimeoutMs, BrokerConfigs.GroupConsumerMinSessionTimeoutMs, BrokerConfigs.GroupConsumerMaxSessionTimeoutMs),
        (ConsumerHeartbeatIntervalMs, BrokerConfigs.GroupConsumerMinHeartbeatIntervalMs, BrokerConfigs.GroupConsumerMaxHeartbeatIntervalMs),
        (ShareSessionTimeoutMs, BrokerConfigs.GroupShareMinSessionTimeoutMs, BrokerConfigs.GroupShareMaxSessionTimeoutMs),
        (ShareHeartbeatIntervalMs, BrokerConfigs.GroupShareMinHeartbeatIntervalMs, BrokerConfigs.GroupShareMaxHeartbeatIntervalMs),
    ];

    public static ConfigCatalogue All { get; } =
        new("group", [ConsumerSessionTimeoutMs, ConsumerHeartbeatIntervalMs, ShareSessionTimeoutMs, ShareHeartbeatIntervalMs, AutoOffsetReset, IsolationLevel, RecordLockDurationMs, DeliveryCountLimit, PartitionMaxRecordLocks]);

    /// <summary>
    /// Applies changes as <see cref="ConfigCatalogue.Apply"/> does, within what the brokers allow: their bounds, and a session that
    /// outlasts a heartbeat.
    /// </summary>
    /// <param name="current">What is set for the group.</param>
    /// <param name="changes">What is to be changed.</param>
    /// <param name="broker">The broker's configuration.</param>
    public static ConfigChangeResult Apply(ImmutableDictionary<string, string> current, IReadOnlyList<ConfigChange> changes, ConfigValues broker)
    {
        var applied = All.Apply(current, changes, _ => null);
        if (applied.Error != ErrorCode.None)
            return applied;
        return WhyNot(broker.ForGroup(applied.Overrides), broker, applied.Overrides) is { } problem ? new(ErrorCode.InvalidConfig, problem, current) : applied;
    }

    private static string? WhyNot(ConfigValues group, ConfigValues broker, ImmutableDictionary<string, string> set)
    {
        foreach (var (own, min, max) in Bounds.Where(bound => set.ContainsKey(bound.Own.Name)))
        {
            if (group.Get(own) < broker.Get(min) || group.Get(own) > broker.Get(max))
                return string.Create(CultureInfo.InvariantCulture, $"{own.Name} must be from {broker.Get(min)} to {broker.Get(max)} ({min.Name} and {max.Name})");
        }
        return Outlasts(ConsumerSessionTimeoutMs, ConsumerHeartbeatIntervalMs) ?? Outlasts(ShareSessionTimeoutMs, ShareHeartbeatIntervalMs);

        string? Outlasts(ConfigDefinition<int> session, ConfigDefinition<int> heartbeat) =>
            (set.ContainsKey(session.Name) || set.ContainsKey(heartbeat.Name)) && group.Get(session) <= group.Get(heartbeat)
                ? $"{session.Name} must be longer than {heartbeat.Name}"
                : null;
    }

    /// <summary>How members of a group are to be heard of.</summary>
    public static GroupTimings Timings(ConfigValues config) =>
        new(config.Get(ConsumerSessionTimeoutMs), config.Get(ConsumerHeartbeatIntervalMs), config.Get(ShareSessionTimeoutMs), config.Get(ShareHeartbeatIntervalMs));

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
