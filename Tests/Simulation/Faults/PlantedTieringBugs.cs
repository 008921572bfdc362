using OrleansLog.Protocol;
using OrleansLog.Replication.Replicas;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Simulation.Faults;

/// <summary>A leader frees its disk of what is sealed, whether the store has it or not.</summary>
public sealed class FreesWhatIsNotStored : PlantedBug
{
    public override Offset MayFree(TieredLog tier, PartitionReplica replica) => replica.Log.Segments.Count > 0 ? replica.Log.Segments[^1].BaseOffset : Offset.Zero;
}

/// <summary>A leader replaces the manifest whatever somebody else has made of it.</summary>
public sealed class OverwritesTheManifest : PlantedBug
{
    public override IRemoteStore Plant(IRemoteStore store) => new Unconditional(store);

    private sealed class Unconditional(IRemoteStore store) : IRemoteStore
    {
        public Task WriteAsync(string name, Stream content, CancellationToken cancellationToken) => store.WriteAsync(name, content, cancellationToken);

        public Task<int> ReadAsync(string name, long position, Memory<byte> destination, CancellationToken cancellationToken) =>
            store.ReadAsync(name, position, destination, cancellationToken);

        public Task<RemoteDocument?> ReadDocumentAsync(string name, CancellationToken cancellationToken) => store.ReadDocumentAsync(name, cancellationToken);

        public async Task<string?> WriteDocumentAsync(string name, ReadOnlyMemory<byte> content, string? expectedTag, CancellationToken cancellationToken)
        {
            var present = await store.ReadDocumentAsync(name, cancellationToken);
            return await store.WriteDocumentAsync(name, content, present?.Tag, cancellationToken);
        }

        public Task DeleteAsync(string name, CancellationToken cancellationToken) => store.DeleteAsync(name, cancellationToken);

        public IAsyncEnumerable<RemoteObject> ListAsync(string prefix, CancellationToken cancellationToken) => store.ListAsync(prefix, cancellationToken);
    }
}
