using System.Text.Json;
using System.Text.Json.Serialization;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Tiering;

/// <summary>Which cluster a remote store belongs to: the document <c>cluster/owner.json</c> in it, changed by conditional writes.</summary>
/// <param name="ClusterId">The cluster.</param>
/// <param name="IsRestoring">Whether that cluster is being restored out of the store, and has not all of it yet.</param>
/// <param name="Formerly">The clusters that it belonged to before, the first one first.</param>
public sealed record StoreOwner(string ClusterId, bool IsRestoring, IReadOnlyList<string> Formerly)
{
    public const string Name = "cluster/owner.json";

    private const int Format = 1;

    /// <exception cref="IOException">The store failed, or the document is not what was written.</exception>
    public static async Task<(StoreOwner Owner, string Tag)?> FindAsync(IRemoteStore store, CancellationToken cancellationToken) =>
        await store.ReadDocumentAsync(Name, cancellationToken) is { } found ? (Parse(found.Content.Span), found.Tag) : null;

    /// <summary>Writes it; false when somebody else was faster.</summary>
    /// <exception cref="IOException">The store failed: it may have been written.</exception>
    public async Task<bool> TryWriteAsync(IRemoteStore store, string? expectedTag, CancellationToken cancellationToken)
    {
        var document = new OwnerDocument(Format, ClusterId, IsRestoring, [.. Formerly]);
        var text = JsonSerializer.Serialize(document, StoreOwnerJson.Default.OwnerDocument);
        return await store.WriteDocumentAsync(Name, ChecksummedText.Encode(text), expectedTag, cancellationToken) is not null;
    }

    private static StoreOwner Parse(ReadOnlySpan<byte> bytes)
    {
        var text = ChecksummedText.Decode(bytes)
            ?? throw new IOException($"'{Name}' in the remote store is not what was written there: whose store it is cannot be told, and nothing is read from it or written. Put back an earlier version.");
        var document = JsonSerializer.Deserialize(text, StoreOwnerJson.Default.OwnerDocument)!;
        return document.Format == Format
            ? new StoreOwner(document.ClusterId, document.IsRestoring, document.Formerly)
            : throw new IOException($"'{Name}' in the remote store has format {document.Format}, and this program reads {Format}: start a newer one.");
    }
}

internal sealed record OwnerDocument(int Format, string ClusterId, bool IsRestoring, string[] Formerly);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(OwnerDocument))]
internal sealed partial class StoreOwnerJson : JsonSerializerContext;
