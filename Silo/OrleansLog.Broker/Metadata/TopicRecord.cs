using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Broker.Metadata;

/// <summary>A topic as the metadata register keeps it, under <c>topics/NAME</c>; its partitions are documents of their own.</summary>
public sealed record TopicRecord(
    string Name, Guid Id, TopicState State, int PartitionCount, SortedDictionary<string, string> Config)
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

    /// <summary>The topic together with the records of its partitions, which the register keeps apart.</summary>
    public TopicImage ToImage(IEnumerable<PartitionRecord> partitions) => new(Name, Id, [.. partitions], Config.ToImmutableSortedDictionary());

    /// <summary>The partitions from one index on.</summary>
    public IEnumerable<TopicPartition> PartitionsFrom(int index) =>
        Enumerable.Range(index, PartitionCount - index).Select(each => new TopicPartition(Name, each));
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

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(TopicRecord))]
[JsonSerializable(typeof(ClusterRecord))]
internal sealed partial class MetadataJson : JsonSerializerContext;
