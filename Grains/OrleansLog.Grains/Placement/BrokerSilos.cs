using System.Collections.Immutable;
using System.Globalization;
using Orleans.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.Grains.Placement;

/// <summary>
/// Which silo a broker is on: a silo is called <c>broker-ID</c>, and keeps the name over its restarts. Any thread.
/// </summary>
public sealed class BrokerSilos(IClusterMembershipService membership)
{
    private const string Prefix = "broker-";

    private Snapshot _last = new(MembershipVersion.MinValue, ImmutableDictionary<BrokerId, SiloAddress>.Empty);

    /// <summary>The name of a broker's silo.</summary>
    public static string NameOf(BrokerId broker) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{broker.Value}");

    /// <summary>The brokers whose silos are active, and where they are.</summary>
    public ImmutableDictionary<BrokerId, SiloAddress> Living => Now.Silos;

    /// <summary>Where a broker's silo is; null while it has none that is active.</summary>
    public SiloAddress? Find(BrokerId broker) => Now.Silos.GetValueOrDefault(broker);

    /// <summary>The version of the membership that <see cref="Living"/> is read from.</summary>
    public MembershipVersion Version => Now.Version;

    private Snapshot Now
    {
        get
        {
            var current = membership.CurrentSnapshot;
            var last = Volatile.Read(ref _last);
            if (last.Version == current.Version) return last;
            last = new(current.Version, LivingIn(current));
            Volatile.Write(ref _last, last);
            return last;
        }
    }

    /// <summary>The brokers that a membership names as active. Of two silos of one name the one that started later counts.</summary>
    public static ImmutableDictionary<BrokerId, SiloAddress> LivingIn(ClusterMembershipSnapshot membership)
    {
        var living = ImmutableDictionary.CreateBuilder<BrokerId, SiloAddress>();
        foreach (var member in membership.Members.Values.Where(member => member.Status == SiloStatus.Active).OrderBy(member => member.SiloAddress.Generation))
            if (TryParse(member.Name, out var broker)) living[broker] = member.SiloAddress;
        return living.ToImmutable();
    }

    /// <summary>The broker whose silo has this name.</summary>
    public static bool TryParse(string name, out BrokerId broker)
    {
        var isOne = name.StartsWith(Prefix, StringComparison.Ordinal)
            & int.TryParse(name.AsSpan(Math.Min(Prefix.Length, name.Length)), NumberStyles.None, CultureInfo.InvariantCulture, out var id);
        broker = new(id);
        return isOne;
    }

    private sealed record Snapshot(MembershipVersion Version, ImmutableDictionary<BrokerId, SiloAddress> Silos);
}
