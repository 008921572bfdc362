using System.Collections.Immutable;
using System.Net;
using Orleans.Runtime;
using OrleansLog.Grains.Placement;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Orleans.Routes;

/// <summary>Where the brokers' gateways are. What was learnt last is kept for when nobody answers. Any thread.</summary>
internal sealed class BrokerGateways(TimeSpan waitMax, TimeProvider time)
{
    private ImmutableDictionary<BrokerId, IPEndPoint> _known = ImmutableDictionary<BrokerId, IPEndPoint>.Empty;

    /// <summary>Asks the cluster where its brokers are.</summary>
    /// <param name="ways">Whom to ask, in turn, until one answers.</param>
    /// <exception cref="OrleansLogException">Nobody answers, nor ever did.</exception>
    public async Task<ImmutableDictionary<BrokerId, IPEndPoint>> ReadAsync(IEnumerable<IGrainFactory> ways)
    {
        Exception? last = null;
        foreach (var way in ways)
        {
            try
            {
                var silos = await way.GetGrain<IManagementGrain>(0).GetDetailedHosts(onlyActive: true).WaitAsync(waitMax, time);
                return _known = GatewaysOf(silos);
            }
            catch (Exception failed)
            {
                last = failed;
            }
        }
        return !_known.IsEmpty ? _known : throw new OrleansLogException(GrainFailures.CodeOf(last!),
            $"The silo cluster does not say where its brokers are: {last!.Message} Check that silos run and that the Orleans client can reach one.", last);
    }

    private static ImmutableDictionary<BrokerId, IPEndPoint> GatewaysOf(MembershipEntry[] silos)
    {
        var gateways = ImmutableDictionary.CreateBuilder<BrokerId, IPEndPoint>();
        foreach (var silo in silos.Where(silo => silo.ProxyPort > 0).OrderBy(silo => silo.SiloAddress.Generation))
        {
            if (BrokerSilos.TryParse(silo.SiloName, out var broker)) gateways[broker] = new IPEndPoint(silo.SiloAddress.Endpoint.Address, silo.ProxyPort);
        }
        return gateways.ToImmutable();
    }
}
