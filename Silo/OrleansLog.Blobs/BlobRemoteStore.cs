using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OrleansLog.Storage;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Blobs;

/// <summary>
/// A blob container as a remote store: one blob an object, below <c>tiered/</c>; the version of a document is the ETag of its
/// write. Any thread.
/// </summary>
/// <remarks>
/// Writes of documents are never retried in here: a retry of one whose answer was lost would be refused because of that very
/// write. Whole objects have names that nobody else uses, so that their writes may be repeated.
/// </remarks>
public sealed class BlobRemoteStore : IRemoteStore
{
    private const string Prefix = "tiered/";

    private readonly BlobContainerClient _objects;
    private readonly BlobContainerClient _documents;
    private readonly BlobStoreOptions _options;

    private BlobRemoteStore(BlobContainerClient objects, BlobContainerClient documents, BlobStoreOptions options) =>
        (_objects, _documents, _options) = (objects, documents, options);

    /// <summary>Opens the store that lies in a container, which is made where it is missing.</summary>
    /// <param name="connect">Makes a client of the container with the options it is given, on which it may set more, but no retries.</param>
    /// <param name="options">How patient to be, and how much to send at once.</param>
    /// <param name="cancellationToken">Stops the attempt.</param>
    /// <exception cref="BlobStorageException">The container cannot be reached or made, or may not be read, written, listed, or deleted from.</exception>
    public static async Task<BlobRemoteStore> OpenAsync(
        Func<BlobClientOptions, BlobContainerClient> connect, BlobStoreOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new BlobStoreOptions();
        var objects = connect(BlobCalls.ClientOptions(options.AnswerTimeoutMs, options.RetriesMax));
        var documents = connect(BlobCalls.ClientOptions(options.AnswerTimeoutMs, retriesMax: 0));
        await BlobCalls.OpenAsync(objects, cancellationToken);
        var store = new BlobRemoteStore(objects, documents, options);
        await store.CheckAccessAsync(cancellationToken);
        return store;
    }

    public async Task WriteAsync(string name, Stream content, CancellationToken cancellationToken)
    {
        var transfer = new BlobUploadOptions
        {
            TransferOptions = new() { InitialTransferSize = _options.BlockBytes, MaximumTransferSize = _options.BlockBytes, MaximumConcurrency = 1 },
        };
        await CallAsync($"write '{name}'", BlobOf(_objects, name).UploadAsync(content, transfer, cancellationToken), cancellationToken);
    }

    public async Task<int> ReadAsync(string name, long position, Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            var range = new BlobDownloadOptions { Range = new HttpRange(position, destination.Length) };
            var answer = await CallAsync($"read '{name}'", BlobOf(_objects, name).DownloadStreamingAsync(range, cancellationToken), cancellationToken);
            await using var content = answer.Value.Content;
            return await CallAsync($"read '{name}'", content.ReadAtLeastAsync(destination, destination.Length, throwOnEndOfStream: false, cancellationToken).AsTask(), cancellationToken);
        }
        catch (IOException e) when (BlobCalls.CodeOf(e) == BlobErrorCode.BlobNotFound)
        {
            throw new RemoteObjectMissingException(name);
        }
        catch (IOException e) when (BlobCalls.CodeOf(e) == BlobErrorCode.InvalidRange)
        {
            // At the end of the blob.
            return 0;
        }
    }

    public async Task<RemoteDocument?> ReadDocumentAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var read = (await CallAsync($"read '{name}'", BlobOf(_objects, name).DownloadContentAsync(cancellationToken), cancellationToken)).Value;
            return new RemoteDocument(read.Content.ToMemory(), read.Details.ETag.ToString());
        }
        catch (IOException e) when (BlobCalls.CodeOf(e) == BlobErrorCode.BlobNotFound)
        {
            return null;
        }
    }

    public async Task<string?> WriteDocumentAsync(string name, ReadOnlyMemory<byte> content, string? expectedTag, CancellationToken cancellationToken)
    {
        var options = new BlobUploadOptions { Conditions = BlobCalls.ConditionsOf(expectedTag) };
        try
        {
            var written = await CallAsync(
                $"write '{name}'", BlobOf(_documents, name).UploadAsync(BinaryData.FromBytes(content), options, cancellationToken), cancellationToken);
            return written.Value.ETag.ToString();
        }
        catch (IOException e) when (BlobCalls.IsRefusal(e))
        {
            return null;
        }
    }

    public async Task DeleteAsync(string name, CancellationToken cancellationToken) => await CallAsync(
        $"delete '{name}'",
        BlobOf(_objects, name).DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: cancellationToken), cancellationToken);

    public async IAsyncEnumerable<RemoteObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var blobs = _objects.GetBlobsAsync(prefix: Prefix + prefix, cancellationToken: cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await CallAsync($"list '{prefix}'", blobs.MoveNextAsync().AsTask(), cancellationToken))
        {
            var properties = blobs.Current.Properties;
            yield return new RemoteObject(blobs.Current.Name[Prefix.Length..], properties.ContentLength ?? 0, properties.LastModified ?? DateTimeOffset.MaxValue);
        }
    }

    // Who may only read shall hear of it now, not when the first segment is full.
    private async Task CheckAccessAsync(CancellationToken cancellationToken)
    {
        const string Name = "access-check";
        await CallAsync($"write '{Name}'", BlobOf(_objects, Name).UploadAsync(BinaryData.FromBytes(Array.Empty<byte>()), overwrite: true, cancellationToken), cancellationToken);
        await foreach (var _ in ListAsync(Name, cancellationToken)) break;
        await DeleteAsync(Name, cancellationToken);
    }

    private Task<T> CallAsync<T>(string what, Task<T> call, CancellationToken cancellationToken) =>
        BlobCalls.CallAsync($"{what} in the remote store, {BlobCalls.NameOf(_objects)}", call, cancellationToken);

    private static BlobClient BlobOf(BlobContainerClient container, string name) => container.GetBlobClient(Prefix + name);
}

/// <summary>How patient a <see cref="BlobRemoteStore"/> is, and how much it sends at once.</summary>
public sealed record BlobStoreOptions
{
    /// <summary>How long one attempt may take, in milliseconds.</summary>
    public int AnswerTimeoutMs { get; init; } = 30_000;

    /// <summary>How often a call that may be repeated is, before it fails.</summary>
    public int RetriesMax { get; init; } = 3;

    /// <summary>How many bytes are sent in one request.</summary>
    public int BlockBytes { get; init; } = 8 << 20;
}
