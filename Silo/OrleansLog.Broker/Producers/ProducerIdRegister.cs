using System.Text.Json;
using System.Text.Json.Serialization;
using OrleansLog.Coordination.Producers;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Broker.Producers;

/// <summary>
/// Blocks of producer ids out of one document of the metadata register, which says where the next block begins. A block
/// counts as taken only when the write of the document after it is known to have succeeded: one whose outcome is not known
/// is given up. Any thread.
/// </summary>
internal sealed class ProducerIdRegister(IMetadataRegister register, TimeProvider time, TimeSpan retryDelay) : IProducerIdBlocks
{
    public const string Key = "producer-ids";

    private const int BlockSize = 1000;

    public async Task<ProducerIdBlock> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var entry = await register.GetAsync(Key, cancellationToken);
                var first = entry is null ? 0 : ProducerIdRecord.Parse(entry.Document.Span).NextProducerId;
                var after = new ProducerIdRecord(first + BlockSize).Serialize();
                if (await register.PutAsync(Key, after, entry?.Version, cancellationToken) is not null)
                    return new ProducerIdBlock(first, BlockSize);
            }
            catch (IOException)
            {
                await Task.Delay(retryDelay, time, cancellationToken);
            }
        }
    }
}

/// <summary>What the register says: the first id that was not handed out to any broker.</summary>
internal sealed record ProducerIdRecord(long NextProducerId)
{
    public byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, ProducerIdJson.Default.ProducerIdRecord);

    /// <exception cref="InvalidDataException">The document is not what was written.</exception>
    public static ProducerIdRecord Parse(ReadOnlySpan<byte> document)
    {
        try
        {
            return JsonSerializer.Deserialize(document, ProducerIdJson.Default.ProducerIdRecord)
                ?? throw new InvalidDataException($"The metadata document '{ProducerIdRegister.Key}' holds nothing.");
        }
        catch (JsonException malformed)
        {
            throw new InvalidDataException($"The metadata document '{ProducerIdRegister.Key}' cannot be read: {malformed.Message}", malformed);
        }
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ProducerIdRecord))]
internal sealed partial class ProducerIdJson : JsonSerializerContext;
