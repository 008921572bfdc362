using OrleansLog.Client;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>The silos of one cluster, each in a process of its own; disposing ends them all.</summary>
internal sealed class SiloProcesses(string connection) : IAsyncDisposable
{
    private readonly string _cluster = $"test-{Guid.NewGuid():N}";
    private readonly List<SiloProcess> _silos = [];

    public int Count => _silos.Count;

    public SiloProcess this[int id] => _silos[id];

    /// <summary>All of them, as clients want them.</summary>
    public string Bootstrap => string.Join(',', _silos.Select(silo => silo.Address));

    /// <summary>Starts some silos and waits until they know of one another.</summary>
    public static async Task<SiloProcesses> StartAsync(int count, string connection)
    {
        var silos = new SiloProcesses(connection);
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
        var silo = new SiloProcess(_silos.Count, _cluster, connection);
        _silos.Add(silo);
        await silo.StartAsync();
        return silo;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos)
            await silo.DisposeAsync();
    }
}
