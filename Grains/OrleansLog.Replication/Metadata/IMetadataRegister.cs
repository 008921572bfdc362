namespace OrleansLog.Replication.Metadata;

/// <summary>
/// Where a cluster keeps what its brokers must agree on: small documents under keys, each changed by compare-and-set
/// alone (the external configuration service of PacificA). Keys are relative paths such as <c>topics/orders</c>.
/// Thread-safe. Every method may throw <see cref="IOException"/>; the outcome of a write that threw is unknown, and
/// reading it back tells.
/// </summary>
public interface IMetadataRegister
{
    /// <summary>The document under <paramref name="key"/>, or null where there is none.</summary>
    ValueTask<RegisterEntry?> GetAsync(string key, CancellationToken cancellationToken);

    /// <summary>The keys that start with <paramref name="prefix"/>, in ordinal order.</summary>
    ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>
    /// Writes the document durably if the one there still has <paramref name="expected"/> as its version (null: if
    /// there is none). Answers the new version, or null when another write came first.
    /// </summary>
    ValueTask<RegisterVersion?> PutAsync(
        string key, ReadOnlyMemory<byte> document, RegisterVersion? expected, CancellationToken cancellationToken);

    /// <summary>Deletes the document if it still has that version; false when another write came first.</summary>
    ValueTask<bool> DeleteAsync(string key, RegisterVersion expected, CancellationToken cancellationToken);
}

/// <summary>What a writer must have seen to be allowed to write. Equal only for the very same write.</summary>
/// <param name="Value">Counts the writes, in registers that count them.</param>
/// <param name="Tag">Names the write, in registers that name theirs (an ETag).</param>
public readonly record struct RegisterVersion(long Value, string? Tag = null);

/// <summary>A document and the version it was read at.</summary>
public sealed record RegisterEntry(ReadOnlyMemory<byte> Document, RegisterVersion Version);
