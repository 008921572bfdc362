using Azure.Storage.Blobs;
using Orleans.Messaging;
using Orleans.Runtime;

namespace OrleansLog.Membership;

/// <summary>Tells clients of a cluster whose membership lies in a blob container where its gateways are. Reads only. May be used from any thread.</summary>
public sealed class BlobGatewayListProvider : IGatewayListProvider
{
    private readonly MembershipBlobs _blobs;

    /// <summary>The gateways of one cluster; no call is made yet.</summary>
    /// <param name="connect">
    /// Makes a client of the container with the options it is given, on which it may set more, but no retries. Called twice.
    /// </param>
    /// <param name="clusterId">Which cluster's, as in <see cref="BlobMembershipTable"/>.</param>
    /// <param name="maxStaleness">How often Orleans reads the list anew.</param>
    /// <param name="options">How patient to be.</param>
    /// <exception cref="OrleansConfigurationException">The cluster's id cannot name a folder.</exception>
    public BlobGatewayListProvider(
        Func<BlobClientOptions, BlobContainerClient> connect, string clusterId, TimeSpan maxStaleness, BlobMembershipOptions? options = null)
    {
        _blobs = new MembershipBlobs(connect, clusterId, options ?? new BlobMembershipOptions());
        MaxStaleness = maxStaleness;
    }

    public TimeSpan MaxStaleness { get; }

    public bool IsUpdatable => true;

    public Task InitializeGatewayListProvider() => Task.CompletedTask;

    /// <summary>The gateways of all active silos that have one.</summary>
    /// <exception cref="OrleansException">The table cannot be read, or its container is missing.</exception>
    public async Task<IList<Uri>> GetGateways()
    {
        var stored = await _blobs.ReadAsync();
        return [.. stored.Document.Members.Where(row => row.Status == SiloStatus.Active && row.ProxyPort != 0).Select(GatewayOf)];
    }

    private static Uri GatewayOf(MemberRow row)
    {
        var silo = SiloAddress.FromParsableString(row.Silo);
        return SiloAddress.New(silo.Endpoint.Address, row.ProxyPort, silo.Generation).ToGatewayUri();
    }
}
