using System.Collections;
using Azure.Storage.Blobs;
using OrleansLog.Client;
using OrleansLog.ClusterTests.Support;
using OrleansLog.Membership;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>The silos of one cluster, each in a process of its own; disposing ends them all.</summary>
internal sealed class SiloProcesses(string connection, Func<int, Place> placeOf, string[] options) : IAsyncDisposable, IEnumerable<SiloProcess>
{
    private readonly string _cluster = $"test-{Guid.NewGuid():N}";
    private readonly List<SiloProcess> _silos = [];

    public int Count => _silos.Count;

    public SiloProcess this[int id] => _silos[id];

    /// <summary>All of them, as clients want them.</summary>
    public string Bootstrap => string.Join(',', _silos.Select(silo => silo.Address));

    /// <summary>Starts some silos and waits until they know of one another.</summary>
    /// <param name="count">How many.</param>
    /// <param name="connection">The blob storage's connection string.</param>
    /// <param name="placeOf">Where each runs; the loopback interface by default.</param>
    /// <param name="options">Further options of each.</param>
    public static async Task<SiloProcesses> StartAsync(int count, string connection, Func<int, Place>? placeOf = null, params string[] options)
    {
        var silos = new SiloProcesses(connection, placeOf ?? (_ => Place.Loopback), options);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, count).Select(_ => silos.AddAsync()));
            await using var client = new OrleansLogClient(silos.Bootstrap);
            await Eventually.TrueAsync(async () => (await client.Admin.DescribeClusterAsync()).Brokers.Count == count);
            return silos;
        }
        catch
        {
            await silos.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts one more, with the next id.</summary>
    public async Task<SiloProcess> AddAsync()
    {
        var silo = new SiloProcess(_silos.Count, _cluster, connection, placeOf(_silos.Count), options);
        _silos.Add(silo);
        await silo.StartAsync();
        return silo;
    }

    /// <summary>Starts an application that finds the silos' gateways in the blob container.</summary>
    public Task<Application> ConnectAsync(Func<ClientOptions, ClientOptions> configure) => Application.StartAsync(
        _cluster, orleans => orleans.UseBlobMembership(options => new BlobContainerClient(connection, _cluster, options)), configure);

    public IEnumerator<SiloProcess> GetEnumerator() => _silos.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos)
            await silo.DisposeAsync();
    }
}
