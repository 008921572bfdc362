using System.Collections.Concurrent;
using Orleans.Storage;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Grains.Metadata;

/// <summary>
/// The metadata register in a grain storage provider, whichever the silo has (<c>AddAzureBlobGrainStorage</c> in the cloud),
/// by the ETags that every provider checks. Thread-safe.
/// </summary>
/// <remarks>
/// A provider that repeats a write whose answer was lost is refused because of its own first attempt; the writer finds its
/// nonce when it looks, so switch such retries off where latency matters, not for safety. Deleted documents stay as empty
/// ones: providers differ in what an ETag means after a deletion.
/// </remarks>
/// <param name="storage">The provider, which has started.</param>
public sealed class GrainStorageRegister(IGrainStorage storage) : IMetadataRegister, IDisposable
{
    private const string StateName = "metadata";

    private readonly StoredKeyIndex _index = new(storage);
    private readonly ConcurrentDictionary<string, bool> _stored = new(StringComparer.Ordinal);

    public async ValueTask<RegisterEntry?> GetAsync(string key, CancellationToken cancellationToken)
    {
        var state = await ReadAsync(key, cancellationToken);
        return state.State?.Bytes is { } bytes ? new RegisterEntry(bytes, new RegisterVersion(0, state.ETag)) : null;
    }

    public async ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        var keys = await _index.ListAsync(prefix, cancellationToken);
        var present = await Task.WhenAll(keys.Select(async key => await GetAsync(key, cancellationToken) is not null));
        return [.. keys.Where((_, index) => present[index])];
    }

    public async ValueTask<RegisterVersion?> PutAsync(
        string key, ReadOnlyMemory<byte> document, RegisterVersion? expected, CancellationToken cancellationToken)
    {
        var etag = expected?.Tag;
        if (expected is null)
        {
            var found = await ReadAsync(key, cancellationToken);
            if (found.State?.Bytes is not null) return null;
            // Listed before it is there: what is there is always listed.
            await _index.AddAsync(key, cancellationToken);
            etag = found.ETag;
        }

        return await WriteAsync(key, document.ToArray(), etag, cancellationToken);
    }

    public async ValueTask<bool> DeleteAsync(string key, RegisterVersion expected, CancellationToken cancellationToken) =>
        await WriteAsync(key, null, expected.Tag, cancellationToken) is not null;

    public void Dispose() => _index.Dispose();

    private async Task<GrainState<StoredDocument>> ReadAsync(string key, CancellationToken cancellationToken)
    {
        var state = new GrainState<StoredDocument>();
        await StorageCalls.CallAsync($"read '{key}'", storage.ReadStateAsync(StateName, GrainOf(key), state, cancellationToken), cancellationToken);
        if (state.ETag is not null) _stored[key] = true;
        return state;
    }

    private async Task<RegisterVersion?> WriteAsync(string key, byte[]? bytes, string? etag, CancellationToken cancellationToken)
    {
        // Not every provider refuses an ETag of something that it never had.
        if (etag is not null && !_stored.ContainsKey(key) && (await ReadAsync(key, cancellationToken)).ETag is null) return null;
        var state = new GrainState<StoredDocument>(new StoredDocument { Bytes = bytes }, etag);
        return await StorageCalls.TryWriteAsync($"write '{key}'", storage.WriteStateAsync(StateName, GrainOf(key), state, cancellationToken), cancellationToken)
            ? new RegisterVersion(0, state.ETag)
            : null;
    }

    private static GrainId GrainOf(string key) => GrainId.Create("orleanslog.metadata", key);
}
