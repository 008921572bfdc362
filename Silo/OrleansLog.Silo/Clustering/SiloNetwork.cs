using System.Net;
using System.Net.Sockets;
using Orleans.Configuration;
using Orleans.Hosting;
using OrleansLog.Grains.Placement;
using OrleansLog.Membership;
using OrleansLog.Protocol;
using OrleansLog.Silo.Clustering.Connections;
using SiloOptions = OrleansLog.Silo.Options.SiloOptions;

namespace OrleansLog.Silo.Clustering;

/// <summary>Where a silo listens, how it finds the others, and how soon it takes one for dead.</summary>
internal static class SiloNetwork
{
    public static void Configure(ISiloBuilder silo, SiloOptions options, BrokerId id)
    {
        if (options.Clustering == Options.Clustering.Local)
            Stand(silo, options, IPAddress.Loopback);
        else
            Join(silo, options);
        SocketNetworking.Replace(silo.Services);
        silo.Configure<Orleans.Configuration.SiloOptions>(named => named.SiloName = BrokerSilos.NameOf(id));
        silo.Configure<ClusterMembershipOptions>(Tune);
        silo.Configure<SiloMessagingOptions>(messaging => messaging.ResponseTimeout = TimeSpan.FromSeconds(30));
    }

    private static void Stand(ISiloBuilder silo, SiloOptions options, IPAddress address) => silo.UseLocalhostClustering(
        FreePort(address, options.SiloPort), FreePort(address, options.GatewayPort), serviceId: options.ClusterName, clusterId: options.ClusterName);

    private static void Join(ISiloBuilder silo, SiloOptions options)
    {
        var listening = SiloProcess.Address(options.Host);
        var advertised = options.AdvertisedHost is { } host ? SiloProcess.Address(host) : listening;
        silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterName, options.ClusterName));
        silo.Configure<EndpointOptions>(endpoint =>
        {
            endpoint.AdvertisedIPAddress = advertised;
            (endpoint.SiloPort, endpoint.GatewayPort) = (options.SiloPort, options.GatewayPort);
            endpoint.SiloListeningEndpoint = new IPEndPoint(listening, options.SiloPort);
            endpoint.GatewayListeningEndpoint = new IPEndPoint(listening, options.GatewayPort);
        });
        silo.UseBlobMembership(client => BlobContainers.Open(options, client));
    }

    /// <summary>
    /// A silo that is dead, or hangs, is known to be so within one to two seconds: every half a second each is asked by all
    /// others (up to ten), and two of them must have missed two answers in a row. One asker alone would be quicker by half a
    /// second and would, on a machine at full load, take living silos for dead. A silo that the others gave up while it could
    /// not hear them reads so in the table, which it looks at every two seconds.
    /// </summary>
    private static void Tune(ClusterMembershipOptions membership)
    {
        membership.ProbeTimeout = TimeSpan.FromMilliseconds(500);
        membership.MaxProbeTimeout = TimeSpan.FromSeconds(1);
        membership.NumMissedProbesLimit = 2;
        membership.NumVotesForDeathDeclaration = 2;
        membership.TableRefreshTimeout = TimeSpan.FromSeconds(2);
        membership.DefunctSiloExpiration = TimeSpan.FromHours(1);
    }

    private static int FreePort(IPAddress address, int wanted)
    {
        foreach (var port in (int[])[wanted, 0])
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(address, port));
                return ((IPEndPoint)socket.LocalEndPoint!).Port;
            }
            catch (SocketException) when (port != 0)
            {
                // Somebody else has it.
            }
        }
        return wanted;
    }
}
