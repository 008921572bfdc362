using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Blobs;

/// <summary>
/// The register of a cluster whose brokers share no disk: one blob a document, changed by conditional writes. A version
/// is the ETag of its write (https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations).
/// </summary>
/// <remarks>
/// Writes are never retried in here. A retry of a write whose answer was lost would be refused because of that very
/// write, and so would tell the writer that another came first. It is told that the outcome is unknown instead, and reads.
/// </remarks>
public sealed class BlobMetadataRegister : IMetadataRegister
{
    private const string Extension = ".json";
    private const string Prefix = "metadata/";

    private readonly BlobContainerClient _reads;
    private readonly BlobContainerClient _writes;
    private readonly int? _pageSize;

    private BlobMetadataRegister(BlobContainerClient reads, BlobContainerClient writes, int? pageSize) =>
        (_reads, _writes, _pageSize) = (reads, writes, pageSize);

    /// <summary>Opens the register that lies in a container, which is made where it is missing.</summary>
    /// <param name="connect">
    /// Makes a client of the container with the options it is given, on which it may set more, but no retries.
    /// </param>
    /// <param name="options">How patient to be.</param>
    /// <param name="cancellationToken">Stops the attempt.</param>
    /// <exception cref="IOException">The container cannot be reached or made.</exception>
    public static async Task<BlobMetadataRegister> OpenAsync(
        Func<BlobClientOptions, BlobContainerClient> connect, BlobRegisterOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new BlobRegisterOptions();
        var reads = connect(ClientOptions(options, options.ReadRetriesMax));
        var writes = connect(ClientOptions(options, retriesMax: 0));
        await BlobCalls.OpenAsync(reads, cancellationToken);
        return new BlobMetadataRegister(reads, writes, options.ListPageSize);
    }

    public async ValueTask<RegisterEntry?> GetAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            var read = (await CallAsync($"read '{key}'", BlobOf(_reads, key).DownloadContentAsync(cancellationToken), cancellationToken)).Value;
            return new RegisterEntry(read.Content.ToMemory(), VersionOf(read.Details.ETag));
        }
        catch (IOException e) when (BlobCalls.CodeOf(e) == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
    }

    public async ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        List<string> keys = [];
        var pages = _reads.GetBlobsAsync(prefix: Prefix + prefix, cancellationToken: cancellationToken).AsPages(null, _pageSize).GetAsyncEnumerator(cancellationToken);
        await using (pages)
        {
            while (await CallAsync($"list '{prefix}'", pages.MoveNextAsync().AsTask(), cancellationToken))
                keys.AddRange(pages.Current.Values.Where(blob => blob.Name.EndsWith(Extension, StringComparison.Ordinal)).Select(blob => KeyOf(blob.Name)));
        }
        // The service's order is that of the names, in which the extension takes part.
        keys.Sort(StringComparer.Ordinal);
        return keys;
    }

    public async ValueTask<RegisterVersion?> PutAsync(
        string key, ReadOnlyMemory<byte> document, RegisterVersion? expected, CancellationToken cancellationToken)
    {
        var options = new BlobUploadOptions
        {
            Conditions = ConditionsOf(expected),
            HttpHeaders = new BlobHttpHeaders { ContentType = "application/json" },
        };
        try
        {
            var written = await CallAsync(
                $"write '{key}'", BlobOf(_writes, key).UploadAsync(BinaryData.FromBytes(document), options, cancellationToken), cancellationToken);
            return VersionOf(written.Value.ETag);
        }
        catch (IOException e) when (BlobCalls.IsRefusal(e))
        {
            return null;
        }
    }

    public async ValueTask<bool> DeleteAsync(string key, RegisterVersion expected, CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync(
                $"delete '{key}'",
                BlobOf(_writes, key).DeleteAsync(DeleteSnapshotsOption.IncludeSnapshots, ConditionsOf(expected), cancellationToken), cancellationToken);
            return true;
        }
        catch (IOException e) when (BlobCalls.IsRefusal(e))
        {
            return false;
        }
    }

    private static Task<T> CallAsync<T>(string what, Task<T> call, CancellationToken cancellationToken) =>
        BlobCalls.CallAsync($"{what} in the metadata register's blob container", call, cancellationToken);

    private static BlobClientOptions ClientOptions(BlobRegisterOptions options, int retriesMax) => BlobCalls.ClientOptions(options.AnswerTimeoutMs, retriesMax);

    private static BlobRequestConditions ConditionsOf(RegisterVersion? expected) => expected is { } version
        ? new() { IfMatch = new ETag(version.Tag ?? throw new ArgumentException("The version is not one of this register's.", nameof(expected))) }
        : new() { IfNoneMatch = ETag.All };

    private static RegisterVersion VersionOf(ETag tag) => new(0, tag.ToString());

    private static BlobClient BlobOf(BlobContainerClient container, string key) => container.GetBlobClient(Prefix + key + Extension);

    private static string KeyOf(string name) => name[Prefix.Length..^Extension.Length];
}
