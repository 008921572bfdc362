namespace OrleansLog.Storage.Tiering;

/// <summary>
/// Where segments are kept for years: a blob container, or a directory. Names are paths with forward slashes. Any thread.
/// Failures are <see cref="IOException"/>s, after which nobody knows whether a write took place.
/// </summary>
public interface IRemoteStore
{
    /// <summary>Writes an object, which can be read once this completes. Its name was never used before.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="content">What it shall hold, from the beginning; can be sought in. Stays the caller's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task WriteAsync(string name, Stream content, CancellationToken cancellationToken);

    /// <summary>Reads from a position of an object; fewer bytes than asked for only at its end.</summary>
    /// <exception cref="RemoteObjectMissingException">There is no such object.</exception>
    Task<int> ReadAsync(string name, long position, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>A small object that is replaced whole, with the tag of its present version; null when there is none.</summary>
    Task<RemoteDocument?> ReadDocumentAsync(string name, CancellationToken cancellationToken);

    /// <summary>Replaces a small object if it still is of the version that was read.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="content">What it shall hold.</param>
    /// <param name="expectedTag">The tag of the version that it replaces; null if there is to be none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The tag of the new version; null if the object is of another version than expected.</returns>
    Task<string?> WriteDocumentAsync(string name, ReadOnlyMemory<byte> content, string? expectedTag, CancellationToken cancellationToken);

    /// <summary>Deletes an object; nothing happens when there is none.</summary>
    Task DeleteAsync(string name, CancellationToken cancellationToken);

    /// <summary>The objects whose names begin so, in no particular order; one that was written a moment ago may be missing.</summary>
    IAsyncEnumerable<RemoteObject> ListAsync(string prefix, CancellationToken cancellationToken);
}

/// <summary>A small object and the tag of its version.</summary>
public readonly record struct RemoteDocument(ReadOnlyMemory<byte> Content, string Tag);

/// <summary>One object of a store.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="WrittenAt">When it was written, by the store's clock.</param>
public readonly record struct RemoteObject(string Name, long Length, DateTimeOffset WrittenAt);

/// <summary>An object that should be in the store is not.</summary>
public sealed class RemoteObjectMissingException(string name) : IOException(
    $"'{name}' is not in the remote store. Somebody has deleted it, or the store is another one than before; what it held cannot be read.")
{
    public string Name => name;
}
