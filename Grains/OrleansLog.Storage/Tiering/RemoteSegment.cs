using OrleansLog.Protocol;

namespace OrleansLog.Storage.Tiering;

/// <summary>One sealed segment in a remote store.</summary>
/// <param name="Name">The object with its record batches; the one with its index has <see cref="IndexSuffix"/> after it.</param>
/// <param name="BaseOffset">Its first offset.</param>
/// <param name="NextOffset">The offset after its last record.</param>
/// <param name="SizeInBytes">The length of the object.</param>
/// <param name="Crc">The CRC-32C of all its bytes.</param>
/// <param name="IndexCrc">The CRC-32C of its index.</param>
/// <param name="MaxTimestampMs">The latest timestamp of its records, -1 when none has one.</param>
/// <param name="Epochs">The leader epochs in it, ascending, each with the first offset that it has there.</param>
/// <param name="Aborted">The aborted transactions that have records in it.</param>
public sealed record RemoteSegment(
    string Name,
    Offset BaseOffset,
    Offset NextOffset,
    int SizeInBytes,
    uint Crc,
    uint IndexCrc,
    long MaxTimestampMs,
    IReadOnlyList<EpochStart> Epochs,
    IReadOnlyList<AbortedTransaction> Aborted)
{
    public const string IndexSuffix = ".index";

    public string IndexName => Name + IndexSuffix;
}
