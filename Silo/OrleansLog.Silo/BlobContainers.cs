using Azure.Core;
using Azure.Storage.Blobs;
using OrleansLog.Silo.Options;

namespace OrleansLog.Silo;

/// <summary>The blob container of a cluster, as the settings name it.</summary>
internal static partial class BlobContainers
{
    private const string NotGiven =
        "--clustering blobs needs to know the storage: set the environment variable OLOG_BLOB_CONNECTION to its connection string, or OLOG_BLOB_ENDPOINT to its address, with a SAS or for this machine's identity";

    /// <summary>Whether the settings name one.</summary>
    public static bool IsGiven(SiloOptions options) => options.BlobConnection is not null || options.BlobEndpoint is not null;

    /// <exception cref="StartException">The settings do not say how to reach it.</exception>
    public static BlobContainerClient Open(SiloOptions options, BlobClientOptions client) => Open(options, client, NewIdentity);

    /// <inheritdoc cref="Open(SiloOptions, BlobClientOptions)"/>
    /// <param name="options">The settings.</param>
    /// <param name="client">How patient to be.</param>
    /// <param name="identity">Who this process is, where neither key nor SAS was given.</param>
    public static BlobContainerClient Open(SiloOptions options, BlobClientOptions client, Func<TokenCredential?> identity)
    {
        if (options.BlobConnection is not null && options.BlobEndpoint is not null)
            throw new StartException(ExitCode.Usage, "give the blob storage by --blob-connection or by --blob-endpoint, not by both");
        if (options.BlobConnection is { } connection)
            return OpenConnection(connection, options.BlobContainer, client);
        return options.BlobEndpoint is { } endpoint
            ? OpenEndpoint(new BlobUriBuilder(new Uri(endpoint)), options.BlobContainer, client, identity)
            : throw new StartException(ExitCode.Usage, NotGiven);
    }

    private static BlobContainerClient OpenConnection(string connection, string container, BlobClientOptions client)
    {
        try
        {
            return new BlobContainerClient(connection, container, client);
        }
        catch (FormatException)
        {
            throw new StartException(ExitCode.Usage, "the blob storage's connection string is not one: copy it from the storage account anew, whole, with its key or SAS");
        }
    }

    // The address may be that of the account or of the container, and hold a SAS of either.
    private static BlobContainerClient OpenEndpoint(BlobUriBuilder address, string container, BlobClientOptions client, Func<TokenCredential?> identity)
    {
        if (address.BlobContainerName.Length == 0)
            address.BlobContainerName = container;
        if (address.Sas is not null)
            return new BlobContainerClient(address.ToUri(), client);
        if (address.Scheme != Uri.UriSchemeHttps)
            throw new StartException(ExitCode.Usage, "an identity goes over https alone: begin --blob-endpoint with https://, or add a SAS to it");
        return identity() is { } credential
            ? new BlobContainerClient(address.ToUri(), credential, client)
            : throw new StartException(ExitCode.Usage, "this build does not know identities, because its package feed lacked Azure.Identity: add a SAS to --blob-endpoint, or give --blob-connection");
    }

    private static TokenCredential? NewIdentity()
    {
        TokenCredential? found = null;
        FindIdentity(ref found);
        return found;
    }

    // Written only where the package Azure.Identity was there to build with.
    static partial void FindIdentity(ref TokenCredential? identity);
}
