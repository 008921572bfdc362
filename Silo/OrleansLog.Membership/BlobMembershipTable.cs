using Azure.Storage.Blobs;
using Orleans;
using Orleans.Runtime;

namespace OrleansLog.Membership;

/// <summary>
/// Orleans' membership table in a blob container: one document holds all rows and the table's version, so that its ETag
/// guards them together, and is changed by conditional writes
/// (https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations).
/// Signs of life (<c>IAmAlive</c>) lie in a blob per silo and are joined on read: they never contend with a change of the
/// table, which Orleans would repeat only after seconds. May be used from any thread.
/// </summary>
/// <remarks>
/// The client never repeats a conditional write: the repetition of one whose answer was lost would be refused because of
/// that very write. The table is read instead, and the nonce in it tells whether the write arrived.
/// </remarks>
public sealed class BlobMembershipTable : IMembershipTable
{
    private const int CleanupAttemptsMax = 5;

    private readonly MembershipBlobs _blobs;

    /// <summary>What was read or written last; it spares a write that goes on from there the read before it.</summary>
    private volatile StoredTable? _last;

    /// <summary>A table of one cluster; no call is made yet.</summary>
    /// <param name="connect">
    /// Makes a client of the container with the options it is given, on which it may set more, but no retries. Called twice.
    /// </param>
    /// <param name="clusterId">Which cluster's; its blobs lie under <c>membership/CLUSTERID/</c>.</param>
    /// <param name="options">How patient to be.</param>
    /// <exception cref="OrleansConfigurationException">The cluster's id cannot name a folder.</exception>
    public BlobMembershipTable(Func<BlobClientOptions, BlobContainerClient> connect, string clusterId, BlobMembershipOptions? options = null) =>
        _blobs = new MembershipBlobs(connect, clusterId, options ?? new BlobMembershipOptions());

    /// <summary>Makes the container where it is missing; a table without a document is an empty one.</summary>
    public Task InitializeMembershipTable(bool tryInitTableVersion) => _blobs.OpenAsync();

    public Task DeleteMembershipTableEntries(string clusterId) => _blobs.DeleteAllAsync(clusterId);

    public async Task<MembershipTableData> ReadAll()
    {
        var (reading, readingAlive) = (ReadAsync(), _blobs.ReadAliveAsync());
        await Task.WhenAll(reading, readingAlive);
        var (stored, alive) = (await reading, await readingAlive);
        return new MembershipTableData(
            [.. stored.Document.Members.Select(row => Tuple.Create(row.ToEntry(SeenAlive(alive, row)), row.Etag))],
            new TableVersion(stored.Document.Version, stored.Tag));
    }

    public async Task<MembershipTableData> ReadRow(SiloAddress key)
    {
        var all = await ReadAll();
        return all.TryGet(key) is { } row ? new MembershipTableData(row, all.Version) : new MembershipTableData(all.Version);
    }

    public async Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentNullException.ThrowIfNull(tableVersion);
        return await FindAsync(tableVersion) is { } stored
            && stored.Document.Find(entry.SiloAddress) is null
            && await WriteAsync(stored, entry, tableVersion);
    }

    public async Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentNullException.ThrowIfNull(tableVersion);
        return await FindAsync(tableVersion) is { } stored
            && stored.Document.Find(entry.SiloAddress) is { } row && row.Etag == etag
            && await WriteAsync(stored, entry, tableVersion);
    }

    public Task UpdateIAmAlive(MembershipEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return _blobs.WriteAliveAsync(entry.SiloAddress.ToParsableString(), MemberRow.Utc(entry.IAmAliveTime));
    }

    /// <summary>Removes the rows of silos that are not active and of which nothing was heard since, and their signs of life.</summary>
    /// <remarks>The version stays, as Orleans wants it: no silo has to look at the table because others long dead left it.</remarks>
    public async Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate)
    {
        for (var attempt = 0; attempt < CleanupAttemptsMax; attempt++)
        {
            var alive = await _blobs.ReadAliveAsync();
            var stored = await ReadAsync();
            var kept = stored.Document.Members.Where(row => !row.IsDefunct(beforeDate, SeenAlive(alive, row))).ToArray();
            if (kept.Length < stored.Document.Members.Length && !await WriteAsync(stored, NewNonce(), stored.Document.Version, kept)) continue;
            foreach (var silo in alive.Where(sign => sign.Value < beforeDate.UtcDateTime).Select(sign => sign.Key).Except(kept.Select(row => row.Silo)))
                await _blobs.DeleteAliveAsync(silo);
            return;
        }
        throw new OrleansException($"The membership table was changed by others during each of {CleanupAttemptsMax} attempts to clean it up; the next cleanup tries again.");
    }

    /// <summary>The table as the caller has read it, or null if it has changed since.</summary>
    private async Task<StoredTable?> FindAsync(TableVersion read)
    {
        var stored = _last is { } last && last.Tag == read.VersionEtag ? last : await ReadAsync();
        return stored.Tag == read.VersionEtag ? stored : null;
    }

    private Task<bool> WriteAsync(StoredTable before, MembershipEntry entry, TableVersion version)
    {
        var row = MemberRow.From(entry, NewNonce());
        return WriteAsync(before, row.Etag, version.Version, [.. before.Document.Members.Where(other => other.Silo != row.Silo), row]);
    }

    private async Task<bool> WriteAsync(StoredTable before, string nonce, int version, MemberRow[] members)
    {
        var document = before.Document.After(nonce, version, members);
        try
        {
            if (await _blobs.TryWriteAsync(document, before.Tag) is not { } tag) return false;
            _last = new StoredTable(document, tag);
            return true;
        }
        catch (OrleansException)
        {
            var now = await ReadAsync();
            if (now.Document.Writes.Contains(nonce)) return true;
            // Another's write came first, so that this one can no longer arrive. Else it still may.
            if (now.Tag != before.Tag) return false;
            throw;
        }
    }

    private async Task<StoredTable> ReadAsync() => _last = await _blobs.ReadAsync();

    private static DateTime? SeenAlive(Dictionary<string, DateTime> alive, MemberRow row) => alive.TryGetValue(row.Silo, out var time) ? time : null;

    private static string NewNonce() => Guid.NewGuid().ToString("n");
}
