using Azure.Storage.Blobs;
using OrleansLog.Silo.Options;

namespace OrleansLog.Silo;

/// <summary>The blob container of a cluster, as the settings name it.</summary>
internal static class BlobContainers
{
    /// <exception cref="StartException">The settings do not say how to reach it.</exception>
    public static BlobContainerClient Open(SiloOptions options, BlobClientOptions client) => options.BlobConnection is { } connection
        ? new BlobContainerClient(connection, options.BlobContainer, client)
        : throw new StartException(ExitCode.Usage, "--clustering blobs needs the storage's connection string: set the environment variable OLOG_BLOB_CONNECTION");
}
