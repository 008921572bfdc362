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
    /// <exception cref="BlobStorageException">The container cannot be used.</exception>
    /// <exception cref="StartException">The directory cannot be used, or the settings contradict one another.</exception>
    public static async Task<IRemoteStore?> OpenAsync(SiloOptions options, PhysicalFileSystem files, CancellationToken cancellation)
    {
        if (options.Config.TryGet(BrokerConfigs.RemoteStorageDirectory, out var directory) && directory.Length > 0)
            return OpenDirectory(files, directory);
        return !BlobContainers.IsGiven(options)
            ? null
            : await BlobRemoteStore.OpenAsync(client => BlobContainers.Open(options, client), cancellationToken: cancellation);
    }

    private static DirectoryRemoteStore OpenDirectory(PhysicalFileSystem files, string directory)
    {
        try
        {
            return new DirectoryRemoteStore(files, directory);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new StartException(ExitCode.StoreNotUsable, $"the remote store {directory} cannot be used: {problem.Message}", problem);
        }
    }
}
