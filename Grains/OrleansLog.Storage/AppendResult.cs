using OrleansLog.Protocol;

namespace OrleansLog.Storage;

/// <summary>Where an append went.</summary>
/// <param name="BaseOffset">The offset of its first record.</param>
/// <param name="NextOffset">The offset after its last record; what to hand to <see cref="PartitionLog.FlushAsync"/>.</param>
/// <param name="AppendTimeMs">The broker's clock at the append, in milliseconds since 1970.</param>
public readonly record struct AppendResult(Offset BaseOffset, Offset NextOffset, long AppendTimeMs)
{
    /// <summary>Why nothing was appended: the batch does not follow on its producer's last. Otherwise None.</summary>
    public ErrorCode Error { get; init; }

    /// <summary>
    /// Whether the batch was there already, and lies where this says: its producer sent it again. Then
    /// <see cref="AppendTimeMs"/> is its latest timestamp.
    /// </summary>
    public bool IsDuplicate { get; init; }

    public static AppendResult Refused(ErrorCode error) => new(Offset.None, Offset.None, -1) { Error = error };

    /// <summary>The offset of the append's last record.</summary>
    public Offset LastOffset => NextOffset - 1L;
}
