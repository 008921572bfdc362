using System.Net;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Orleans;
using Orleans.Runtime;
using OrleansLog.Membership;
using OrleansLog.UnitTests.Metadata;

[assembly: AssemblyFixture(typeof(Azurite))]

namespace OrleansLog.ClusterTests.Membership;

/// <summary>What tests of the membership share: a container of their own in Azurite, and tables that reach it by ways of their own.</summary>
public abstract class MembershipTests(Azurite azurite) : IAsyncLifetime
{
    protected const string Cluster = "test";

    private readonly string _container = $"t{Guid.NewGuid():n}";
    private readonly List<LossyHandler> _ways = [];
    private bool _isReached;

    /// <summary>Skips the running test where Azurite is not installed.</summary>
    protected BlobContainerClient Container => new(azurite.ConnectionString, _container);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var way in _ways) way.Dispose();
        if (_isReached) await Container.DeleteIfExistsAsync();
        GC.SuppressFinalize(this);
    }

    private protected LossyHandler NewWay()
    {
        var way = new LossyHandler();
        _ways.Add(way);
        return way;
    }

    private protected Func<BlobClientOptions, BlobContainerClient> By(LossyHandler way)
    {
        var connection = azurite.ConnectionString;
        _isReached = true;
        return options =>
        {
            options.Transport = new HttpClientTransport(way);
            return new BlobContainerClient(connection, _container, options);
        };
    }

    private protected async Task<BlobMembershipTable> OpenAsync(LossyHandler? way = null, string cluster = Cluster, int readRetriesMax = 0)
    {
        var table = new BlobMembershipTable(By(way ?? NewWay()), cluster, new BlobMembershipOptions { ReadRetriesMax = readRetriesMax });
        await table.InitializeMembershipTable(tryInitTableVersion: true);
        return table;
    }

    protected async Task<List<string>> KeysAsync()
    {
        List<string> keys = [];
        await foreach (var blob in Container.GetBlobsAsync()) keys.Add(blob.Name);
        return keys;
    }

    protected static MembershipEntry Silo(int number, SiloStatus status = SiloStatus.Active) => new()
    {
        SiloAddress = Address(number),
        Status = status,
        SiloName = $"broker-{number}",
        HostName = "host",
        ProxyPort = 30_000 + number,
        StartTime = At(0),
        IAmAliveTime = At(number),
        SuspectTimes = [],
    };

    protected static SiloAddress Address(int number) => SiloAddress.New(IPAddress.Loopback, 11_000 + number, 7);

    protected static DateTime At(int seconds) => new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddSeconds(seconds);

    /// <summary>Puts a row where none is, on top of what the table holds.</summary>
    protected static async Task InsertAsync(IMembershipTable table, MembershipEntry entry) =>
        Assert.True(await table.InsertRow(entry, (await table.ReadAll()).Version.Next()));

    protected static async Task<bool> TryUpdateAsync(IMembershipTable table, MembershipEntry entry)
    {
        var all = await table.ReadAll();
        return await table.UpdateRow(entry, all.TryGet(entry.SiloAddress)!.Item2, all.Version.Next());
    }
}
