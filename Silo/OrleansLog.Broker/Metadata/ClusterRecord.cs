using System.Text.Json;

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
}
