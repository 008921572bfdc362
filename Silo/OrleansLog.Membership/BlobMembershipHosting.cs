using Azure.Storage.Blobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Messaging;

namespace OrleansLog.Membership;

/// <summary>Lets the silos and the clients of a cluster find one another by a blob container.</summary>
public static class BlobMembershipHosting
{
    /// <summary>Keeps the membership of this silo's cluster (<see cref="ClusterOptions.ClusterId"/>) in a blob container.</summary>
    /// <param name="builder">The silo.</param>
    /// <param name="connect">
    /// Makes a client of the container with the options it is given, on which it may set more, but no retries. The container
    /// is made where it is missing.
    /// </param>
    /// <param name="options">How patient to be.</param>
    public static ISiloBuilder UseBlobMembership(
        this ISiloBuilder builder, Func<BlobClientOptions, BlobContainerClient> connect, BlobMembershipOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(connect);
        builder.Services.AddSingleton<IMembershipTable>(services => new BlobMembershipTable(connect, ClusterIdOf(services), options));
        return builder;
    }

    /// <summary>Finds the gateways of this client's cluster (<see cref="ClusterOptions.ClusterId"/>) in a blob container.</summary>
    /// <param name="builder">The client.</param>
    /// <param name="connect">
    /// Makes a client of the container with the options it is given, on which it may set more, but no retries. The right to
    /// read is enough.
    /// </param>
    /// <param name="options">How patient to be.</param>
    public static IClientBuilder UseBlobMembership(
        this IClientBuilder builder, Func<BlobClientOptions, BlobContainerClient> connect, BlobMembershipOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(connect);
        builder.Services.AddSingleton<IGatewayListProvider>(services => new BlobGatewayListProvider(
            connect, ClusterIdOf(services), services.GetRequiredService<IOptions<GatewayOptions>>().Value.GatewayListRefreshPeriod, options));
        return builder;
    }

    private static string ClusterIdOf(IServiceProvider services) => services.GetRequiredService<IOptions<ClusterOptions>>().Value.ClusterId;
}
