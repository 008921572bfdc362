using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;

namespace OrleansLog.Storage.Tiering;

/// <summary>
/// Reads and replaces the manifest of one partition. A change goes on until its outcome is certain: who has lost the answer to
/// a write, or was too late, looks at what is there. Any thread; changes one at a time.
/// </summary>
/// <param name="store">Where it is.</param>
/// <param name="prefix">How the names of the partition's objects begin, with a slash at the end.</param>
/// <param name="logger">Told of what should not be.</param>
public sealed class ManifestFile(IRemoteStore store, string prefix, ILogger logger)
{
    public const string Name = "manifest.json";
    public const string SegmentSuffix = ".log";

    public string Path => prefix + Name;

    /// <summary>What the store holds of the partition, and the tag of that version; null where nothing was ever written.</summary>
    /// <exception cref="IOException">The store failed.</exception>
    /// <exception cref="InvalidDataException">The manifest is damaged, or gone although there are segments.</exception>
    public async Task<(RemoteManifest Manifest, string? Tag)> ReadAsync(CancellationToken cancellationToken)
    {
        if (await FindAsync(cancellationToken) is { } found) return found;
        // A leader writes it before it uploads anything.
        await foreach (var left in store.ListAsync(prefix, cancellationToken))
        {
            if (!left.Name.EndsWith(SegmentSuffix, StringComparison.Ordinal)) continue;
            // Its leader may have written both meanwhile.
            return await FindAsync(cancellationToken)
                ?? throw new InvalidDataException($"'{Path}' is not in the remote store, and '{left.Name}' is: somebody has deleted it. Nothing is changed; put it back.");
        }

        return (RemoteManifest.Empty, null);
    }

    /// <summary>As <see cref="ReadAsync"/>, for a leadership.</summary>
    /// <exception cref="IOException">The store failed, or a later leader has written it.</exception>
    /// <exception cref="InvalidDataException">The manifest is damaged, or gone although there are segments.</exception>
    public async Task<(RemoteManifest Manifest, string? Tag)> ReadAsync(LeaderEpoch epoch, CancellationToken cancellationToken)
    {
        var found = await ReadAsync(cancellationToken);
        CheckEpoch(found.Manifest, epoch);
        return found;
    }

    /// <summary>Replaces it.</summary>
    /// <param name="current">What it is, as far as is known.</param>
    /// <param name="tag">The version that this is; null when there is none.</param>
    /// <param name="change">Makes of what it is what it shall be. May be asked more than once.</param>
    /// <param name="epoch">The leadership in which it is written.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">The store failed, or a later leader has written it.</exception>
    /// <exception cref="InvalidDataException">The manifest is damaged.</exception>
    public async Task<(RemoteManifest Manifest, string Tag)> ChangeAsync(
        RemoteManifest current, string? tag, Func<RemoteManifest, RemoteManifest> change, LeaderEpoch epoch, CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = change(current) with { LeaderEpoch = epoch, Revision = current.Revision + 1 };
            var content = changed.Serialize();
            var (written, failure) = await TryWriteAsync(content, tag, cancellationToken);
            if (written is not null) return (changed, written);
            if (await FindAsync(cancellationToken) is { } found)
            {
                CheckEpoch(found.Manifest, epoch);
                if (found.Manifest.Serialize().AsSpan().SequenceEqual(content)) return (changed, found.Tag);
                (current, tag) = found;
            }
            else if (tag is not null)
            {
                // Who leads knows what it said.
                logger.LogError("'{Path}' was deleted from the remote store by somebody; it is written anew", Path);
                tag = null;
            }

            if (failure is not null) throw failure;
        }
    }

    /// <summary>Makes it a leadership's own: no earlier one changes it from then on.</summary>
    /// <returns>What the store holds.</returns>
    /// <inheritdoc cref="ChangeAsync"/>
    public async Task<RemoteManifest> TakeOverAsync(LeaderEpoch epoch, CancellationToken cancellationToken)
    {
        var (found, tag) = await ReadAsync(epoch, cancellationToken);
        return (await ChangeAsync(found, tag, static manifest => manifest, epoch, cancellationToken)).Manifest;
    }

    private async Task<(RemoteManifest Manifest, string Tag)?> FindAsync(CancellationToken cancellationToken) =>
        await store.ReadDocumentAsync(Path, cancellationToken) is { } document ? (RemoteManifest.Parse(document.Content.Span, Path), document.Tag) : null;

    private async Task<(string? Tag, IOException? Failure)> TryWriteAsync(byte[] content, string? tag, CancellationToken cancellationToken)
    {
        try
        {
            return (await store.WriteDocumentAsync(Path, content, tag, cancellationToken), null);
        }
        catch (IOException e)
        {
            return (null, e);
        }
    }

    private void CheckEpoch(RemoteManifest manifest, LeaderEpoch epoch)
    {
        if (manifest.LeaderEpoch > epoch)
            throw new IOException($"'{Path}' was written by the leader of epoch {manifest.LeaderEpoch}, and this one is of epoch {epoch}: it leads no more.");
    }
}
