using System.Runtime.CompilerServices;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Tiering;

/// <summary>
/// A remote store as one cluster uses it: as long as it is this cluster's. The first to come owns it; <c>olog restore</c> hands it
/// on. Who owns it is looked at once a minute, so that a cluster that was given up for dead does no harm when it is not. Any thread.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="clusterId">Which cluster this is, once that is known.</param>
/// <param name="time">The clock; only differences count.</param>
public sealed class OwnedRemoteStore(IRemoteStore store, Func<string> clusterId, TimeProvider time) : IRemoteStore
{
    private static readonly TimeSpan BelievedFor = TimeSpan.FromMinutes(1);

    private volatile Known? _known;

    /// <summary>The store itself, whoever owns it.</summary>
    public IRemoteStore Unowned => store;

    /// <summary>This cluster.</summary>
    public string ClusterId => clusterId();

    /// <summary>Who owns the store: this cluster, after it was made the owner of a store that had none.</summary>
    /// <exception cref="StoreOwnerException">Another cluster does.</exception>
    /// <exception cref="IOException">The store cannot be asked.</exception>
    public async ValueTask<StoreOwner> RequireAsync(CancellationToken cancellationToken)
    {
        if (_known is { } known && time.GetElapsedTime(known.At) < BelievedFor)
            return known.Owner;
        var owner = await FindOrClaimAsync(cancellationToken);
        if (owner.ClusterId != ClusterId)
            throw new StoreOwnerException(owner.ClusterId, ClusterId);
        _known = new Known(owner, time.GetTimestamp());
        return owner;
    }

    /// <summary>Why this cluster must not use the store; null when it may, or that cannot be found out at the moment.</summary>
    public async Task<string?> FindRefusalAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RequireAsync(cancellationToken);
            return null;
        }
        catch (StoreOwnerException other)
        {
            return other.Message;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Has the owner looked at anew by whoever comes next.</summary>
    public void Forget() => _known = null;

    public async Task WriteAsync(string name, Stream content, CancellationToken cancellationToken)
    {
        await RequireAsync(cancellationToken);
        await store.WriteAsync(name, content, cancellationToken);
    }

    public async Task<int> ReadAsync(string name, long position, Memory<byte> destination, CancellationToken cancellationToken)
    {
        await RequireAsync(cancellationToken);
        return await store.ReadAsync(name, position, destination, cancellationToken);
    }

    public async Task<RemoteDocument?> ReadDocumentAsync(string name, CancellationToken cancellationToken)
    {
        await RequireAsync(cancellationToken);
        return await store.ReadDocumentAsync(name, cancellationToken);
    }

    public async Task<string?> WriteDocumentAsync(string name, ReadOnlyMemory<byte> content, string? expectedTag, CancellationToken cancellationToken)
    {
        await RequireAsync(cancellationToken);
        return await store.WriteDocumentAsync(name, content, expectedTag, cancellationToken);
    }

    public async Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        await RequireAsync(cancellationToken);
        await store.DeleteAsync(name, cancellationToken);
    }

    public async IAsyncEnumerable<RemoteObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await RequireAsync(cancellationToken);
        await foreach (var found in store.ListAsync(prefix, cancellationToken))
            yield return found;
    }

    private async Task<StoreOwner> FindOrClaimAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await StoreOwner.FindAsync(store, cancellationToken) is { } found)
                return found.Owner;
            // Somebody may have deleted the document that says whose it is.
            var topics = await BackedUpTopics.FindAsync(store, cancellationToken);
            var owner = new StoreOwner(topics?.ClusterId ?? ClusterId, IsRestoring: false, []);
            if (owner.ClusterId != ClusterId || await owner.TryWriteAsync(store, expectedTag: null, cancellationToken))
                return owner;
        }
    }

    private sealed record Known(StoreOwner Owner, long At);
}

/// <summary>A remote store belongs to another cluster.</summary>
public sealed class StoreOwnerException(string owner, string self) : IOException(
    $"The remote store belongs to cluster '{owner}', and this is cluster '{self}': nothing is read from it or written. "
    + "Give this cluster a directory or container of its own; or, if that one is lost, bring it back into this one with 'olog restore'.")
{
    public string Owner => owner;
}
