using Orleans.GrainDirectory;
using Orleans.Placement;
using Orleans.Runtime;

namespace OrleansLog.Grains.Placement;

/// <summary>
/// The grain lives where its broker does: its key, or who leads what it is named after, says which silo that is. It is found
/// without a directory that could lose it, and never moved to balance anything.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class PinnedAttribute() : PlacementAttribute(new PinnedPlacement())
{
    public override void Populate(IServiceProvider services, Type grainClass, GrainType grainType, Dictionary<string, string> properties)
    {
        base.Populate(services, grainClass, grainType, properties);
        new GrainDirectoryAttribute(PinnedGrainDirectory.Name).Populate(services, grainClass, grainType, properties);
        new ImmovableAttribute().Populate(services, grainClass, grainType, properties);
    }
}

/// <inheritdoc cref="PinnedAttribute"/>
[GenerateSerializer, Immutable]
public sealed class PinnedPlacement : PlacementStrategy;
