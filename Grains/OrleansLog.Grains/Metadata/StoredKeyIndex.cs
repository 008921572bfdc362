using Orleans.Storage;

namespace OrleansLog.Grains.Metadata;

/// <summary>
/// Which keys the register has ever had: a document for each folder, and one for the folders. Keys are never taken out, so a
/// key cannot get lost between one who adds it and one who removes it. Many keys that are added at once share a write.
/// Thread-safe.
/// </summary>
internal sealed class StoredKeyIndex(IGrainStorage storage) : IDisposable
{
    private const string StateName = "metadata-keys";
    private const string Folders = "folders";

    private readonly SemaphoreSlim _turn = new(1);
    private readonly Lock _gate = new();
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly List<string> _waiting = [];

    /// <summary>The keys with a prefix, in ordinal order, those of deleted documents among them.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        var folders = (await ReadAsync(Folders, cancellationToken)).Keys;
        var keys = await Task.WhenAll(folders.Select(folder => ReadAsync(folder, cancellationToken)));
        return [.. keys.SelectMany(each => each.Keys).Where(key => key.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }

    /// <summary>Done when the key is listed, durably.</summary>
    public async Task AddAsync(string key, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_known.Contains(key)) return;
            _waiting.Add(key);
        }

        await _turn.WaitAsync(cancellationToken);
        try
        {
            await AddWaitingAsync(key, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task AddWaitingAsync(string mine, CancellationToken cancellationToken)
    {
        string[] some;
        lock (_gate)
        {
            // Whoever had the turn before may have added it along with its own.
            if (_known.Contains(mine)) return;
            some = [.. _waiting.Append(mine).Distinct(StringComparer.Ordinal)];
            _waiting.Clear();
        }

        foreach (var folder in some.GroupBy(FolderOf, StringComparer.Ordinal))
        {
            await WriteAsync(Folders, [folder.Key], cancellationToken);
            await WriteAsync(folder.Key, [.. folder], cancellationToken);
        }

        lock (_gate) _known.UnionWith(some);
    }

    private async Task WriteAsync(string document, string[] keys, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (known, etag) = await ReadAsync(document, cancellationToken);
            var missing = keys.Except(known, StringComparer.Ordinal).ToList();
            if (missing.Count == 0) return;
            var state = new GrainState<StoredKeys>(new StoredKeys { Keys = [.. known, .. missing] }, etag);
            if (await StorageCalls.TryWriteAsync($"list '{missing[0]}'", storage.WriteStateAsync(StateName, GrainOf(document), state, cancellationToken), cancellationToken)) return;
        }
    }

    private async Task<(List<string> Keys, string? ETag)> ReadAsync(string document, CancellationToken cancellationToken)
    {
        var state = new GrainState<StoredKeys>();
        await StorageCalls.CallAsync("read the list of keys", storage.ReadStateAsync(StateName, GrainOf(document), state, cancellationToken), cancellationToken);
        return (state.State?.Keys ?? [], state.ETag);
    }

    private static string FolderOf(string key) => key.IndexOf('/') is var slash and > 0 ? key[..slash] : "root";

    private static GrainId GrainOf(string document) => GrainId.Create("orleanslog.metadata-keys", document);
}
