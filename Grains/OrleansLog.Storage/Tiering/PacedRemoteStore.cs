namespace OrleansLog.Storage.Tiering;

/// <summary>
/// A remote store whose objects are written and read no faster than so many bytes a second each way (KIP-956), by all that
/// share it. Documents are small, and go as they come. Any thread.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="writeBytesPerSecond">How fast objects are written; <see cref="long.MaxValue"/> for no limit.</param>
/// <param name="readBytesPerSecond">How fast objects are read, also those that were just written and are read back; <see cref="long.MaxValue"/> for no limit.</param>
/// <param name="time">Tells the time; only differences count.</param>
public sealed class PacedRemoteStore(IRemoteStore store, long writeBytesPerSecond, long readBytesPerSecond, TimeProvider time) : IRemoteStore
{
    private readonly Throttle _writing = new(time);
    private readonly Throttle _reading = new(time);

    public async Task WriteAsync(string name, Stream content, CancellationToken cancellationToken)
    {
        await using var paced = new PacedStream(content, _writing, writeBytesPerSecond);
        await store.WriteAsync(name, paced, cancellationToken);
    }

    public async Task<int> ReadAsync(string name, long position, Memory<byte> destination, CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(destination.Length, readBytesPerSecond, cancellationToken);
        return await store.ReadAsync(name, position, destination, cancellationToken);
    }

    public Task<RemoteDocument?> ReadDocumentAsync(string name, CancellationToken cancellationToken) => store.ReadDocumentAsync(name, cancellationToken);

    public Task<string?> WriteDocumentAsync(string name, ReadOnlyMemory<byte> content, string? expectedTag, CancellationToken cancellationToken) =>
        store.WriteDocumentAsync(name, content, expectedTag, cancellationToken);

    public Task DeleteAsync(string name, CancellationToken cancellationToken) => store.DeleteAsync(name, cancellationToken);

    public IAsyncEnumerable<RemoteObject> ListAsync(string prefix, CancellationToken cancellationToken) => store.ListAsync(prefix, cancellationToken);
}
