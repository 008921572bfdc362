using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace OrleansLog.Replication.Metadata;

/// <summary>The documents of the register as they are written: plain numbers, so that people can read and mend them.</summary>
internal sealed record PartitionDocument(
    int[] Replicas, long[][] InSync, long[][] Eligible, int Leader, int LeaderEpoch, int UncleanEpoch, int[] Adding, int[] Removing, string Nonce, int PartitionEpoch = 0);

internal sealed record BrokerDocument(int Id, long Epoch, long CleanSince, long DiskSince, string? Rack, string Nonce, string Host = "", int Port = -1);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PartitionDocument))]
[JsonSerializable(typeof(BrokerDocument))]
internal sealed partial class RecordJson : JsonSerializerContext
{
    public static T Parse<T>(ReadOnlySpan<byte> document, JsonTypeInfo<T> type, string what)
    {
        try
        {
            return JsonSerializer.Deserialize(document, type) ?? throw new InvalidDataException($"A {what} record holds nothing.");
        }
        catch (JsonException malformed)
        {
            throw new InvalidDataException($"A document is not a {what} record: {malformed.Message}", malformed);
        }
    }
}
