using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using OrleansLog.Protocol;

namespace OrleansLog.Broker.Metadata;

/// <summary>A topic as the metadata register keeps it, under <c>topics/NAME</c>.</summary>
public sealed record TopicRecord(
    string Name, Guid Id, TopicState State, IReadOnlyList<PartitionRecord> Partitions, SortedDictionary<string, string> Config)
{
    public const string KeyPrefix = "topics/";

    public static string KeyOf(string name) => KeyPrefix + name;

    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, MetadataJson.Default.TopicRecord);

    /// <exception cref="InvalidDataException">The document is not a topic record.</exception>
    public static TopicRecord Parse(string key, ReadOnlySpan<byte> document)
    {
        try
        {
            return JsonSerializer.Deserialize(document, MetadataJson.Default.TopicRecord)
                ?? throw new InvalidDataException($"The metadata document '{key}' holds nothing.");
        }
        catch (JsonException malformed)
        {
            throw new InvalidDataException($"The metadata document '{key}' is not a topic record: {malformed.Message}", malformed);
        }
    }

    public TopicImage ToImage() => new(
        Name, Id, [.. Partitions.Select(partition => partition.ToImage())], Config.ToImmutableSortedDictionary());
}

/// <summary>
/// <see cref="Deleting"/> is written before the first file goes, so that a deletion cut short by a crash is taken up
/// again instead of leaving a topic with holes.
/// </summary>
public enum TopicState
{
    Active,
    Deleting,
}

/// <summary>The replicas of one partition, the one that leads, and the epoch in which it does.</summary>
public sealed record PartitionRecord(int Leader, int LeaderEpoch, IReadOnlyList<int> Replicas, IReadOnlyList<int> InSyncReplicas)
{
    public PartitionImage ToImage() => new(
        new BrokerId(Leader),
        new LeaderEpoch(LeaderEpoch),
        [.. Replicas.Select(id => new BrokerId(id))],
        [.. InSyncReplicas.Select(id => new BrokerId(id))]);
}

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(TopicRecord))]
[JsonSerializable(typeof(ClusterRecord))]
internal sealed partial class MetadataJson : JsonSerializerContext;
