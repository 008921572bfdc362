using OrleansLog.Blobs;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Files;
using OrleansLog.Broker.Tiering;
using OrleansLog.Silo.Options;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Silo;

/// <summary>Where topics with <c>remote.storage.enable</c> keep their segments.</summary>
internal static class RemoteStores
{
    /// <summary>The directory that the configuration names, or else the blob container that the settings name; null where there is neither.</summary>
    /// <exception cref="IOException">It cannot be used.</exception>
    public static async Task<IRemoteStore?> OpenAsync(SiloOptions options, PhysicalFileSystem files, CancellationToken cancellation)
    {
        if (options.Config.TryGet(BrokerConfigs.RemoteStorageDirectory, out var directory) && directory.Length > 0)
            return new DirectoryRemoteStore(files, directory);
        return options.BlobConnection is null
            ? null
            : await BlobRemoteStore.OpenAsync(client => BlobContainers.Open(options, client), cancellationToken: cancellation);
    }
}
