using System.Collections.Immutable;

namespace OrleansLog.Protocol.Wire;

/// <summary>The versions of one API whose layouts are described here.</summary>
/// <param name="Key">The API.</param>
/// <param name="Min">The lowest version with a layout.</param>
/// <param name="Max">The highest version with a layout.</param>
/// <param name="FirstFlexible">The first flexible version (KIP-482), or <see cref="Apis.NeverFlexible"/>.</param>
/// <param name="AdvertisedMin">
/// The lowest version that an ApiVersions response names; below <paramref name="Min"/> where clients expect it.
/// </param>
public readonly record struct ApiVersionRange(
    ApiKey Key, short Min, short Max, short FirstFlexible, short AdvertisedMin)
{
    public bool Supports(short version) => version >= Min && version <= Max;

    public bool IsFlexible(short version) => version >= FirstFlexible;
}

/// <summary>
/// The APIs whose messages are described here, each with the version range that Apache Kafka 4.0 has: clients infer
/// the release of a broker from its maxima, so that all of them belong to one. Later releases raise some (Produce 13,
/// Fetch 18, ListOffsets 11, OffsetCommit 10, OffsetFetch 10). One is taken from 4.1, AlterPartitionReassignments 1,
/// with which a move can be told to keep the replication factor (KIP-860); and one from 4.2, which brokers alone use:
/// WriteTxnMarkers 2, whose markers say whether their epoch is new (KIP-1228). Those of share groups (KIP-932), which 4.0
/// had for trial only, are those of 4.2. The floors are those of KIP-896. Produce is
/// advertised from 0 though served from 3, as Kafka does, because librdkafka before 2.12 gives up compression otherwise
/// (KAFKA-18659). Which of these a broker serves, and so advertises, is the broker's own list.
/// </summary>
public static class Apis
{
    /// <summary>Higher than any version: the API has no flexible one.</summary>
    public const short NeverFlexible = short.MaxValue;

    /// <summary>Every API with a layout, by key.</summary>
    public static ImmutableArray<ApiVersionRange> All { get; } =
    [
        new(ApiKey.Produce, 3, 12, 9, AdvertisedMin: 0),
        Range(ApiKey.Fetch, 4, 17, 12),
        Range(ApiKey.ListOffsets, 1, 10, 6),
        Range(ApiKey.Metadata, 0, 13, 9),
        Range(ApiKey.OffsetCommit, 2, 9, 8),
        Range(ApiKey.OffsetFetch, 1, 9, 6),
        Range(ApiKey.FindCoordinator, 0, 6, 3),
        Range(ApiKey.JoinGroup, 0, 9, 6),
        Range(ApiKey.Heartbeat, 0, 4, 4),
        Range(ApiKey.LeaveGroup, 0, 5, 4),
        Range(ApiKey.SyncGroup, 0, 5, 4),
        Range(ApiKey.DescribeGroups, 0, 6, 5),
        Range(ApiKey.ListGroups, 0, 5, 3),
        Range(ApiKey.SaslHandshake, 0, 1, NeverFlexible),
        Range(ApiKey.ApiVersions, 0, 4, 3),
        Range(ApiKey.CreateTopics, 2, 7, 5),
        Range(ApiKey.DeleteTopics, 1, 6, 4),
        Range(ApiKey.DeleteRecords, 0, 2, 2),
        Range(ApiKey.InitProducerId, 0, 5, 2),
        Range(ApiKey.OffsetForLeaderEpoch, 2, 4, 4),
        Range(ApiKey.AddPartitionsToTxn, 0, 5, 3),
        Range(ApiKey.AddOffsetsToTxn, 0, 4, 3),
        Range(ApiKey.EndTxn, 0, 5, 3),
        Range(ApiKey.WriteTxnMarkers, 1, 2, 1),
        Range(ApiKey.TxnOffsetCommit, 0, 5, 3),
        Range(ApiKey.DescribeConfigs, 1, 4, 4),
        Range(ApiKey.AlterConfigs, 0, 2, 2),
        Range(ApiKey.DescribeLogDirs, 1, 4, 2),
        Range(ApiKey.SaslAuthenticate, 0, 2, 2),
        Range(ApiKey.CreatePartitions, 0, 3, 2),
        Range(ApiKey.DeleteGroups, 0, 2, 2),
        Range(ApiKey.ElectLeaders, 0, 2, 2),
        Range(ApiKey.IncrementalAlterConfigs, 0, 1, 1),
        Range(ApiKey.AlterPartitionReassignments, 0, 1, 0),
        Range(ApiKey.ListPartitionReassignments, 0, 0, 0),
        Range(ApiKey.OffsetDelete, 0, 0, NeverFlexible),
        Range(ApiKey.DescribeCluster, 0, 2, 0),
        Range(ApiKey.DescribeProducers, 0, 0, 0),
        Range(ApiKey.UnregisterBroker, 0, 0, 0),
        Range(ApiKey.DescribeTransactions, 0, 0, 0),
        Range(ApiKey.ListTransactions, 0, 1, 0),
        Range(ApiKey.ConsumerGroupHeartbeat, 0, 1, 0),
        Range(ApiKey.ConsumerGroupDescribe, 0, 1, 0),
        Range(ApiKey.GetTelemetrySubscriptions, 0, 0, 0),
        Range(ApiKey.PushTelemetry, 0, 0, 0),
        Range(ApiKey.ListConfigResources, 0, 1, 0),
        Range(ApiKey.DescribeTopicPartitions, 0, 0, 0),
        Range(ApiKey.ShareGroupHeartbeat, 1, 1, 0),
        Range(ApiKey.ShareGroupDescribe, 1, 1, 0),
        Range(ApiKey.ShareFetch, 1, 2, 0),
        Range(ApiKey.ShareAcknowledge, 1, 2, 0),
        Range(ApiKey.InitializeShareGroupState, 0, 0, 0),
        Range(ApiKey.ReadShareGroupState, 0, 0, 0),
        Range(ApiKey.WriteShareGroupState, 0, 1, 0),
        Range(ApiKey.DeleteShareGroupState, 0, 0, 0),
        Range(ApiKey.ReadShareGroupStateSummary, 0, 1, 0),
        Range(ApiKey.DescribeShareGroupOffsets, 0, 1, 0),
        Range(ApiKey.AlterShareGroupOffsets, 0, 0, 0),
        Range(ApiKey.DeleteShareGroupOffsets, 0, 0, 0),
    ];

    private static readonly ApiVersionRange?[] ByKey = Index();

    /// <summary>The versions of an API, or null for one without layouts here.</summary>
    public static ApiVersionRange? Find(ApiKey key) => (uint)key < (uint)ByKey.Length ? ByKey[(int)key] : null;

    /// <summary>Whether a version is flexible (KIP-482). An API that is not known here is never.</summary>
    public static bool IsFlexible(ApiKey key, short version) => Find(key)?.IsFlexible(version) ?? false;

    private static ApiVersionRange Range(ApiKey key, short min, short max, short firstFlexible) =>
        new(key, min, max, firstFlexible, AdvertisedMin: min);

    private static ApiVersionRange?[] Index()
    {
        var byKey = new ApiVersionRange?[(int)All[^1].Key + 1];
        foreach (var range in All) byKey[(int)range.Key] = range;
        return byKey;
    }
}
