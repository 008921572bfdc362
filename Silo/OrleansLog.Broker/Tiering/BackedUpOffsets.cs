using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using OrleansLog.Coordination;
using OrleansLog.Protocol;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Tiering;

/// <summary>
/// What a remote store knows of the groups of one partition of <c>__consumer_offsets</c>: the document <c>cluster/offsets/N.json</c>
/// in it, which the partition's leader writes in its epoch.
/// </summary>
/// <param name="ClusterId">The cluster.</param>
/// <param name="LeaderEpoch">The leadership.</param>
/// <param name="AtMs">When it was so, in milliseconds since 1970.</param>
/// <param name="Commits">What the groups had committed, in a fixed order.</param>
internal sealed record BackedUpOffsets(string ClusterId, LeaderEpoch LeaderEpoch, long AtMs, IReadOnlyList<GroupCommit> Commits)
{
    private const string Prefix = "cluster/offsets/";
    private const int Format = 1;

    public static string NameOf(int partition) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{partition}.json");

    /// <summary>Those of all partitions.</summary>
    /// <exception cref="IOException">The store failed, or a document is not what was written.</exception>
    public static async IAsyncEnumerable<BackedUpOffsets> FindAllAsync(IRemoteStore store, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var found in store.ListAsync(Prefix, cancellationToken))
        {
            if (found.Name.EndsWith(".json", StringComparison.Ordinal) && await store.ReadDocumentAsync(found.Name, cancellationToken) is { } document)
                yield return Parse(document.Content.Span, found.Name);
        }
    }

    public byte[] Serialize() => ChecksummedText.Encode(JsonSerializer.Serialize(
        new OffsetsDocument(
            Format, ClusterId, LeaderEpoch.Value, AtMs,
            [.. Commits.Select(commit => new CommitDocument(
                commit.Group, commit.Partition.Topic, commit.Partition.Partition, commit.Offset.Value, commit.LeaderEpoch.Value, commit.Metadata))]),
        OffsetsJson.Default.OffsetsDocument));

    /// <exception cref="IOException">It is not what was written, or of a later format.</exception>
    public static BackedUpOffsets Parse(ReadOnlySpan<byte> bytes, string name)
    {
        var text = ChecksummedText.Decode(bytes)
            ?? throw new IOException($"'{name}' in the remote store is not what was written there, so what its groups have committed cannot be told. Put back an earlier version.");
        var document = JsonSerializer.Deserialize(text, OffsetsJson.Default.OffsetsDocument)!;
        if (document.Format != Format)
            throw new IOException($"'{name}' in the remote store has format {document.Format}, and this program reads {Format}: start a newer one.");
        return new(
            document.ClusterId, new(document.LeaderEpoch), document.AtMs,
            [.. document.Commits.Select(commit => new GroupCommit(commit.Group, new(commit.Topic, commit.Partition), new(commit.Offset), new(commit.LeaderEpoch), commit.Metadata))]);
    }
}

internal sealed record OffsetsDocument(int Format, string ClusterId, int LeaderEpoch, long AtMs, CommitDocument[] Commits);

internal sealed record CommitDocument(string Group, string Topic, int Partition, long Offset, int LeaderEpoch, string Metadata);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OffsetsDocument))]
internal sealed partial class OffsetsJson : JsonSerializerContext;
