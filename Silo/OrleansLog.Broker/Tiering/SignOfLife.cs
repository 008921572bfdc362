using System.Text.Json;
using System.Text.Json.Serialization;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Tiering;

/// <summary>That a cluster lives: the document <c>cluster/alive.json</c>, which its controller writes again and again.</summary>
/// <param name="ClusterId">The cluster.</param>
/// <param name="AtMs">When, in milliseconds since 1970, by its clock.</param>
internal sealed record SignOfLife(string ClusterId, long AtMs)
{
    private const string Name = "cluster/alive.json";

    /// <summary>The last one; null when there is none that can be read.</summary>
    /// <exception cref="IOException">The store failed.</exception>
    public static async Task<SignOfLife?> FindAsync(IRemoteStore store, CancellationToken cancellationToken) =>
        await store.ReadDocumentAsync(Name, cancellationToken) is { } found && ChecksummedText.Decode(found.Content.Span) is { } text
            ? JsonSerializer.Deserialize(text, SignOfLifeJson.Default.SignOfLife)
            : null;

    /// <exception cref="IOException">The store failed.</exception>
    public async Task WriteAsync(IRemoteStore store, CancellationToken cancellationToken)
    {
        var before = await store.ReadDocumentAsync(Name, cancellationToken);
        // Where somebody else was faster there is one.
        await store.WriteDocumentAsync(Name, ChecksummedText.Encode(JsonSerializer.Serialize(this, SignOfLifeJson.Default.SignOfLife)), before?.Tag, cancellationToken);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SignOfLife))]
internal sealed partial class SignOfLifeJson : JsonSerializerContext;
