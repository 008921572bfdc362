using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Azure.Storage.Blobs;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using OrleansLog.Membership;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.ClusterTests.Support;

/// <summary>A silo in this process, on the loopback interface, that can be cut off from the others and from the storage.</summary>
internal sealed class TestSilo : IAsyncDisposable
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<ConnectionContext, bool> _connections = new();
    private readonly Death _death = new();
    private readonly LossyHandler _way;
    private readonly IHost _host;
    private volatile bool _isCutOff;

    private TestSilo(string name, string cluster, LossyHandler way, Func<BlobClientOptions, BlobContainerClient> connect)
    {
        _way = way;
        var ports = FreePorts.Find(2);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.UseOrleans(silo => silo
            .UseBlobMembership(connect)
            .ConfigureEndpoints(IPAddress.Loopback, ports[0], ports[1])
            .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster, cluster))
            .Configure<SiloOptions>(options => options.SiloName = name)
            .Configure<ClusterMembershipOptions>(DetectQuickly)
            .Configure<SiloConnectionOptions>(LetConnectionsBeCut)
            .Services.AddSingleton<IFatalErrorHandler>(_death));
        _host = builder.Build();
    }

    public SiloAddress Address => _host.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;

    /// <summary>Ends when the silo learns that the others hold it for dead.</summary>
    public Task LearnsItsDeathAsync() => _death.Told.WaitAsync(WaitMax);

    public static async Task<TestSilo> StartAsync(string name, string cluster, LossyHandler way, Func<BlobClientOptions, BlobContainerClient> connect)
    {
        var silo = new TestSilo(name, cluster, way, connect);
        await silo._host.StartAsync();
        return silo;
    }

    /// <summary>Ends when the silo sees another one in a state.</summary>
    public async Task SeesAsync(SiloAddress other, SiloStatus status)
    {
        using var limit = new CancellationTokenSource(WaitMax);
        await foreach (var snapshot in Membership.MembershipUpdates.WithCancellation(limit.Token))
        {
            if (snapshot.GetSiloStatus(other) == status) return;
        }
    }

    public string NameOf(SiloAddress silo) => Membership.CurrentSnapshot.Members[silo].Name;

    /// <summary>Breaks the silo's connections to others and to the storage, and lets it make no new ones.</summary>
    public void CutOff()
    {
        Lose(int.MaxValue);
        _isCutOff = true;
        foreach (var connection in _connections.Keys) connection.Abort();
    }

    /// <summary>Lets the silo reach the storage again.</summary>
    public void ReachStorage() => Lose(0);

    public async ValueTask DisposeAsync()
    {
        ReachStorage();
        await _host.StopAsync(new CancellationToken(canceled: true));
        if (_host is IAsyncDisposable host) await host.DisposeAsync();
    }

    private IClusterMembershipService Membership => _host.Services.GetRequiredService<IClusterMembershipService>();

    private void Lose(int requests)
    {
        lock (_way.Lost) (_way.Lost[HttpMethod.Get], _way.Lost[HttpMethod.Put]) = (requests, requests);
    }

    private static void DetectQuickly(ClusterMembershipOptions options)
    {
        options.ProbeTimeout = TimeSpan.FromMilliseconds(500);
        options.MinProbeTimeout = TimeSpan.FromMilliseconds(250);
        options.MaxProbeTimeout = TimeSpan.FromMilliseconds(1000);
        options.NumMissedProbesLimit = 2;
        options.TableRefreshTimeout = TimeSpan.FromSeconds(2);
    }

    private void LetConnectionsBeCut(SiloConnectionOptions options)
    {
        options.ConfigureSiloInboundConnection(Cut);
        options.ConfigureSiloOutboundConnection(Cut);

        void Cut(IConnectionBuilder builder) => builder.Use(next => async connection =>
        {
            _connections[connection] = true;
            if (_isCutOff) connection.Abort();
            await next(connection);
            _connections.TryRemove(connection, out _);
        });
    }


    /// <summary>In the place of the end of the process, which a silo that was declared dead brings about.</summary>
    private sealed class Death : IFatalErrorHandler
    {
        private readonly TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Told => _told.Task;

        public bool IsUnexpected(Exception exception) => true;

        public void OnFatalException(object? sender, string? context, Exception? exception) => _told.TrySetResult();
    }
}
