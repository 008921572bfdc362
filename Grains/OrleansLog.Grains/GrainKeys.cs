using System.Globalization;
using OrleansLog.Protocol;

namespace OrleansLog.Grains;

/// <summary>What the grains are called. A topic's name has no slash and no at sign.</summary>
public static class GrainKeys
{
    /// <summary>The key of a partition's grain: <c>topic/partition</c>.</summary>
    public static string Of(TopicPartition partition) => string.Create(CultureInfo.InvariantCulture, $"{partition.Topic}/{partition.Partition}");

    /// <summary>The key of a follower's grain: <c>topic/partition@broker</c>.</summary>
    public static string Of(TopicPartition partition, BrokerId broker) =>
        string.Create(CultureInfo.InvariantCulture, $"{partition.Topic}/{partition.Partition}@{broker.Value}");

    /// <summary>The key of a client's line of requests to a broker: <c>id@broker</c>.</summary>
    public static string Of(Guid connection, BrokerId broker) => string.Create(CultureInfo.InvariantCulture, $"{connection:n}@{broker.Value}");

    /// <exception cref="FormatException">The key names no partition.</exception>
    public static TopicPartition ParsePartition(string key) =>
        key.LastIndexOf('/') is var slash and > 0 && int.TryParse(key.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? new(key[..slash], index)
            : throw new FormatException($"'{key}' is not the key of a partition: it should be TOPIC/PARTITION.");

    /// <exception cref="FormatException">The key names no follower.</exception>
    public static (TopicPartition Partition, BrokerId Broker) ParseFollower(string key) =>
        key.LastIndexOf('@') is var at and > 0 && int.TryParse(key.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var broker)
            ? (ParsePartition(key[..at]), new(broker))
            : throw new FormatException($"'{key}' is not the key of a follower: it should be TOPIC/PARTITION@BROKER.");

    /// <summary>The broker to which a client's line of requests leads.</summary>
    /// <exception cref="FormatException">The key names no broker.</exception>
    public static BrokerId ParseConnection(string key) =>
        int.TryParse(key.AsSpan(key.LastIndexOf('@') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var broker)
            ? new(broker)
            : throw new FormatException($"'{key}' is not the key of a connection: it should be ID@BROKER.");
}
