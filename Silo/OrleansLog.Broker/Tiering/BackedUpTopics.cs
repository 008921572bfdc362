using System.Text.Json;
using System.Text.Json.Serialization;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Tiering;

/// <summary>What a remote store knows of a cluster besides records: the document <c>cluster/topics.json</c> in it.</summary>
/// <param name="ClusterId">The cluster.</param>
/// <param name="AtMs">When it was so, in milliseconds since 1970, by the controller's clock.</param>
/// <param name="NextProducerId">No producer was given an id from here on.</param>
/// <param name="Topics">All topics but the brokers' own.</param>
/// <param name="Groups">The configuration that was set for groups, by their ids.</param>
public sealed record BackedUpTopics(
    string ClusterId, long AtMs, long NextProducerId, IReadOnlyList<BackedUpTopic> Topics, IReadOnlyDictionary<string, SortedDictionary<string, string>> Groups)
{
    public const string Name = "cluster/topics.json";

    private const int Format = 1;

    /// <exception cref="IOException">The store failed, or the document is not what was written.</exception>
    public static async Task<BackedUpTopics?> FindAsync(IRemoteStore store, CancellationToken cancellationToken) =>
        await store.ReadDocumentAsync(Name, cancellationToken) is { } found ? Parse(found.Content.Span) : null;

    /// <summary>Whether it says the same, at whatever time.</summary>
    public bool HoldsSameAs(BackedUpTopics other) => (this with { AtMs = other.AtMs }).Serialize().AsSpan().SequenceEqual(other.Serialize());

    public byte[] Serialize() => ChecksummedText.Encode(JsonSerializer.Serialize(
        new TopicsDocument(Format, ClusterId, AtMs, NextProducerId, [.. Topics], new(Groups.ToDictionary(), StringComparer.Ordinal)), BackupJson.Default.TopicsDocument));

    private static BackedUpTopics Parse(ReadOnlySpan<byte> bytes)
    {
        var text = ChecksummedText.Decode(bytes)
            ?? throw new IOException($"'{Name}' in the remote store is not what was written there, so which topics there were cannot be told. Put back an earlier version.");
        var document = JsonSerializer.Deserialize(text, BackupJson.Default.TopicsDocument)!;
        return document.Format == Format
            ? new(document.ClusterId, document.AtMs, document.NextProducerId, document.Topics, document.Groups)
            : throw new IOException($"'{Name}' in the remote store has format {document.Format}, and this program reads {Format}: start a newer one.");
    }
}

/// <summary>A topic as it was.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Id">Its id, with which the names of its objects begin.</param>
/// <param name="Partitions">How many it had.</param>
/// <param name="ReplicationFactor">On how many brokers each was.</param>
/// <param name="Config">What was set for it.</param>
public sealed record BackedUpTopic(string Name, Guid Id, int Partitions, int ReplicationFactor, SortedDictionary<string, string> Config);

internal sealed record TopicsDocument(
    int Format, string ClusterId, long AtMs, long NextProducerId, BackedUpTopic[] Topics, SortedDictionary<string, SortedDictionary<string, string>> Groups);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TopicsDocument))]
internal sealed partial class BackupJson : JsonSerializerContext;
