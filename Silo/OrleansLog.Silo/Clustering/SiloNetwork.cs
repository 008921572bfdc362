using System.Net;
using System.Net.Sockets;
using Orleans.Configuration;
using Orleans.Hosting;
using OrleansLog.Hosting;
using OrleansLog.Membership;
using OrleansLog.Silo.Clustering.Connections;
using SiloOptions = OrleansLog.Silo.Options.SiloOptions;

namespace OrleansLog.Silo.Clustering;

/// <summary>Where a silo listens, how it finds the others, and how soon it takes one for dead.</summary>
internal static class SiloNetwork
{
    public static void Configure(ISiloBuilder silo, SiloOptions options)
    {
        if (options.Clustering == Options.Clustering.Local)
            Stand(silo, options, IPAddress.Loopback);
        else
            Join(silo, options);
        SocketNetworking.Replace(silo.Services);
        silo.Configure<ClusterMembershipOptions>(FailureDetection.Tune);
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
        if (options.Clustering == Options.Clustering.Blobs)
            silo.UseBlobMembership(client => BlobContainers.Open(options, client));
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
