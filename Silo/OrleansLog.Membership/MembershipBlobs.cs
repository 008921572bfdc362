using System.Globalization;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Orleans.Runtime;

namespace OrleansLog.Membership;

/// <summary>A document and the ETag by which the next writer says what it has read.</summary>
internal sealed record StoredTable(MembershipDocument Document, string Tag)
{
    /// <summary>In the place of an ETag where there is no document: an empty table.</summary>
    public const string NoTag = "none";
}

/// <summary>
/// The blobs of one cluster's membership: <c>membership/CLUSTER/table.json</c> and, for each silo,
/// <c>membership/CLUSTER/alive/SILO</c>, whose metadata hold the last sign of life, so that one listing brings them all.
/// Whatever goes wrong in a call is an <see cref="OrleansException"/>.
/// </summary>
internal sealed class MembershipBlobs
{
    private const string TimeKey = "at";

    private readonly BlobContainerClient _retrying;
    private readonly BlobContainerClient _once;
    private readonly string _folder;

    public MembershipBlobs(Func<BlobClientOptions, BlobContainerClient> connect, string clusterId, BlobMembershipOptions options)
    {
        _retrying = connect(ClientOptions(options, options.ReadRetriesMax));
        _once = connect(ClientOptions(options, retriesMax: 0));
        _folder = FolderOf(clusterId);
    }

    private string TableKey => _folder + "table.json";

    private string AliveFolder => _folder + "alive/";

    /// <summary>Makes the container where it is missing. Where it is not, the right to make one is not needed.</summary>
    public async Task OpenAsync()
    {
        try
        {
            await ReadAsync();
        }
        catch (OrleansException e) when (CodeOf(e) == BlobErrorCode.ContainerNotFound)
        {
            await CallAsync("make it", _retrying.CreateIfNotExistsAsync());
        }
    }

    public async Task<StoredTable> ReadAsync()
    {
        try
        {
            var read = (await CallAsync($"read '{TableKey}'", _retrying.GetBlobClient(TableKey).DownloadContentAsync())).Value;
            return new StoredTable(MembershipDocument.Parse(read.Content), read.Details.ETag.ToString());
        }
        catch (OrleansException e) when (CodeOf(e) == BlobErrorCode.BlobNotFound)
        {
            return new StoredTable(MembershipDocument.Empty, StoredTable.NoTag);
        }
        catch (InvalidDataException e)
        {
            throw new OrleansException(
                $"The blob '{TableKey}' in the container '{_retrying.Name}' is no membership table: {e.Message} "
                + "Stop the cluster's silos and delete the blob, or restore an earlier version of it.", e);
        }
    }

    /// <summary>Writes the table if its ETag is still the one that was read.</summary>
    /// <returns>The new ETag, or null if another write came first.</returns>
    /// <exception cref="OrleansException">It was not said whether the table was written.</exception>
    public async Task<string?> TryWriteAsync(MembershipDocument document, string expectedTag)
    {
        var options = new BlobUploadOptions
        {
            Conditions = expectedTag == StoredTable.NoTag ? new() { IfNoneMatch = ETag.All } : new() { IfMatch = new ETag(expectedTag) },
            HttpHeaders = new BlobHttpHeaders { ContentType = "application/json" },
        };
        try
        {
            return (await CallAsync($"write '{TableKey}'", _once.GetBlobClient(TableKey).UploadAsync(document.ToBytes(), options))).Value.ETag.ToString();
        }
        catch (OrleansException e) when (CodeOf(e) is { } code && (code == BlobErrorCode.ConditionNotMet || code == BlobErrorCode.BlobAlreadyExists))
        {
            return null;
        }
    }

    /// <summary>When each silo said last that it lives, in UTC.</summary>
    public async Task<Dictionary<string, DateTime>> ReadAliveAsync()
    {
        var alive = new Dictionary<string, DateTime>(StringComparer.Ordinal);
        await foreach (var blob in ListAsync(AliveFolder))
        {
            if (blob.Metadata.TryGetValue(TimeKey, out var text) && DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time))
                alive[blob.Name[AliveFolder.Length..]] = MemberRow.Utc(time);
        }
        return alive;
    }

    /// <summary>Only the silo itself writes this, and always the whole of it: repeating it does no harm.</summary>
    public Task WriteAliveAsync(string silo, DateTime time)
    {
        var options = new BlobUploadOptions
        {
            Metadata = new Dictionary<string, string> { [TimeKey] = time.ToString("O", CultureInfo.InvariantCulture) },
        };
        return CallAsync($"write '{AliveFolder}{silo}'", _retrying.GetBlobClient(AliveFolder + silo).UploadAsync(BinaryData.FromString(""), options));
    }

    public Task DeleteAliveAsync(string silo) => DeleteAsync(AliveFolder + silo);

    /// <summary>Deletes the table of a cluster, then its signs of life, then the folder where the account keeps folders as blobs.</summary>
    public async Task DeleteAllAsync(string clusterId)
    {
        var folder = FolderOf(clusterId);
        List<string> keys = [];
        await foreach (var blob in ListAsync(folder)) keys.Add(blob.Name);
        keys.Sort((one, other) => string.CompareOrdinal(other, one));
        foreach (var key in keys) await DeleteAsync(key);
    }

    private async Task DeleteAsync(string key) =>
        await CallAsync($"delete '{key}'", _retrying.DeleteBlobIfExistsAsync(key, DeleteSnapshotsOption.IncludeSnapshots));

    private async IAsyncEnumerable<BlobItem> ListAsync(string prefix)
    {
        await using var pages = _retrying.GetBlobsAsync(BlobTraits.Metadata, BlobStates.None, prefix).AsPages().GetAsyncEnumerator();
        while (await CallAsync($"list '{prefix}'", pages.MoveNextAsync().AsTask()))
        {
            foreach (var blob in pages.Current.Values) yield return blob;
        }
    }

    private async Task<T> CallAsync<T>(string what, Task<T> call)
    {
        try
        {
            return await call;
        }
        // Not by type: credentials of every kind throw exceptions of their own.
        catch (Exception e)
        {
            throw new OrleansException(
                $"Could not {what} in the membership's blob container '{_retrying.Name}': {e.Message.ReplaceLineEndings(" ")} "
                + "Check that the storage account can be reached, and that its credentials may read, write, list and delete blobs.", e);
        }
    }

    private static BlobClientOptions ClientOptions(BlobMembershipOptions options, int retriesMax) => new()
    {
        Retry =
        {
            MaxRetries = retriesMax,
            NetworkTimeout = TimeSpan.FromMilliseconds(options.AnswerTimeoutMs),
        },
    };

    private static BlobErrorCode? CodeOf(OrleansException failure) =>
        failure.InnerException is RequestFailedException { ErrorCode: { } code } ? new BlobErrorCode(code) : null;

    private static string FolderOf(string clusterId)
    {
        // No part of a blob's name may end with a dot (https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata).
        if (string.IsNullOrEmpty(clusterId) || clusterId.EndsWith('.'))
            throw new OrleansConfigurationException($"'{clusterId}' cannot name a cluster whose membership lies in a blob container: set ClusterOptions.ClusterId to a name that does not end with a dot.");
        return $"membership/{Uri.EscapeDataString(clusterId)}/";
    }
}
