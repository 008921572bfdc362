using Orleans.GrainDirectory;
using Orleans.Runtime;

namespace OrleansLog.Grains.Placement;

/// <summary>
/// Where pinned grains are follows from their keys and from who leads, so nothing is stored, nothing is lost with a silo, and
/// no activation is ended because of another silo's death. Silos may differ for a moment in what they know; a call that
/// reaches the wrong broker is refused by it, as safety asks for in any case.
/// </summary>
public sealed class PinnedGrainDirectory(PinnedLocator locator, BrokerSilos silos) : IGrainDirectory
{
    public const string Name = "orleanslog.pinned";

    public Task<GrainAddress?> Lookup(GrainId grainId) => Task.FromResult(locator.FindSilo(grainId) is { } silo ? AddressOf(grainId, silo, ActivationId.NewId()) : null);

    // An activation on a silo where the grain does not belong is told where it does, and passes its calls on.
    public Task<GrainAddress?> Register(GrainAddress address) => Task.FromResult<GrainAddress?>(
        locator.FindSilo(address.GrainId) is { } silo && !silo.Equals(address.SiloAddress) ? AddressOf(address.GrainId, silo, ActivationId.NewId()) : address);

    public Task<GrainAddress?> Register(GrainAddress address, GrainAddress? previousAddress) => Register(address);

    public Task Unregister(GrainAddress address) => Task.CompletedTask;

    public Task UnregisterSilos(List<SiloAddress> siloAddresses) => Task.CompletedTask;

    private GrainAddress AddressOf(GrainId grain, SiloAddress silo, ActivationId activation) =>
        new() { GrainId = grain, SiloAddress = silo, ActivationId = activation, MembershipVersion = silos.Version };
}
