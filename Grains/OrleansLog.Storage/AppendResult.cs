using OrleansLog.Protocol;

namespace OrleansLog.Storage;

/// <summary>Where an append went.</summary>
/// <param name="BaseOffset">The offset of its first record.</param>
/// <param name="NextOffset">The offset after its last record; what to hand to <see cref="PartitionLog.FlushAsync"/>.</param>
/// <param name="AppendTimeMs">The broker's clock at the append, in milliseconds since 1970.</param>
public readonly record struct AppendResult(Offset BaseOffset, Offset NextOffset, long AppendTimeMs)
{
    /// <summary>The offset of the append's last record.</summary>
    public Offset LastOffset => NextOffset - 1L;
}
