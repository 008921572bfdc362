using System.Text.Json;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Broker.Metadata;

/// <summary>
/// Says what a data directory is: which cluster it belongs to and in which format it was written. It is read before
/// anything else, so that a directory of a later format is refused rather than misread.
/// </summary>
public sealed record ClusterRecord(string ClusterId, int FormatVersion)
{
    public const string Key = "cluster";

    /// <summary>The format that this code reads and writes.</summary>
    public const int CurrentFormatVersion = 2;

    /// <summary>What the register says; a new cluster is founded where it says nothing yet.</summary>
    /// <exception cref="InvalidDataException">The cluster is of a format that this release does not read.</exception>
    public static async Task<ClusterRecord> ReadOrFoundAsync(IMetadataRegister register, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await register.GetAsync(Key, cancellationToken) is { } entry)
                return Accept(Parse(entry.Document.Span));
            // Kafka's cluster ids are UUIDs in URL-safe base 64; tools print them as they come.
            var id = Convert.ToBase64String(Guid.NewGuid().ToByteArray()).TrimEnd('=').Replace('+', '-').Replace('/', '_');
            var founded = new ClusterRecord(id, CurrentFormatVersion);
            if (await register.PutAsync(Key, founded.Serialize(), expected: null, cancellationToken) is not null)
                return founded;
        }
    }

    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, MetadataJson.Default.ClusterRecord);

    /// <exception cref="InvalidDataException">Not a cluster record.</exception>
    public static ClusterRecord Parse(ReadOnlySpan<byte> document)
    {
        try
        {
            return JsonSerializer.Deserialize(document, MetadataJson.Default.ClusterRecord)
                ?? throw new InvalidDataException("The cluster document holds nothing.");
        }
        catch (JsonException malformed)
        {
            throw new InvalidDataException($"The cluster document cannot be read: {malformed.Message}", malformed);
        }
    }

    private static ClusterRecord Accept(ClusterRecord cluster) => cluster.FormatVersion == CurrentFormatVersion
        ? cluster
        : throw new InvalidDataException(
            $"The data is of format {cluster.FormatVersion}; this release reads format {CurrentFormatVersion}. " +
            $"Start {(cluster.FormatVersion > CurrentFormatVersion ? "a later" : "the earlier")} release on it, or choose another directory.");
}
