using System.Collections.Immutable;
using OrleansLog.Protocol;

namespace OrleansLog.Replication.Metadata;

/// <summary>A broker that replicas can be placed on.</summary>
/// <param name="Id">The broker.</param>
/// <param name="Rack">Where it stands; null if it does not say.</param>
public readonly record struct PlaceableBroker(BrokerId Id, string? Rack);

/// <summary>
/// Places replicas: first replicas (the preferred leaders) in turn over the brokers, further ones shifted from partition
/// to partition so that every broker's followers are spread over all others, and no two replicas of a partition in one
/// rack while there is another (KIP-36). Decisions only; the same input gives the same answer.
/// </summary>
public static class ReplicaPlacement
{
    /// <summary>The replicas of each of <paramref name="count"/> new partitions, the preferred leader first.</summary>
    /// <param name="brokers">Where they may go; at least as many as <paramref name="replicationFactor"/>.</param>
    /// <param name="firstPartition">How many partitions the topic has already.</param>
    /// <param name="count">How many are new.</param>
    /// <param name="replicationFactor">How many replicas each gets.</param>
    /// <exception cref="ArgumentException">There are fewer brokers than replicas; check that first.</exception>
    public static ImmutableArray<ImmutableArray<BrokerId>> Place(
        IReadOnlyList<PlaceableBroker> brokers, int firstPartition, int count, int replicationFactor)
    {
        if (replicationFactor > brokers.Count)
            throw new ArgumentException($"{replicationFactor} replicas need as many brokers; there are {brokers.Count}.");
        var ring = AlternateRacks(brokers);
        return [.. Enumerable.Range(firstPartition, count).Select(partition => PlaceOne(ring, partition, replicationFactor))];
    }

    /// <summary>
    /// The replicas that a partition should have now that some brokers have been away for too long: each of those is
    /// replaced by a living broker that holds the fewest replicas, in a rack of its own where there is one. Null when
    /// nothing is to be done or nobody can help.
    /// </summary>
    /// <param name="replicas">Where the partition is.</param>
    /// <param name="living">Who could take a replica.</param>
    /// <param name="isGone">Who has been away for longer than the cluster is willing to wait.</param>
    /// <param name="replicaCountOf">How many replicas a broker holds.</param>
    public static ImmutableArray<BrokerId>? Heal(
        ImmutableArray<BrokerId> replicas, IReadOnlyList<PlaceableBroker> living, Func<BrokerId, bool> isGone, Func<BrokerId, int> replicaCountOf)
    {
        var healed = replicas.Where(id => !isGone(id)).ToList();
        if (healed.Count == replicas.Length) return null;
        while (healed.Count < replicas.Length && Choose(healed, living, replicaCountOf) is { } chosen) healed.Add(chosen);
        return healed.Count == replicas.Length ? [.. healed] : null;
    }

    private static BrokerId? Choose(List<BrokerId> taken, IReadOnlyList<PlaceableBroker> living, Func<BrokerId, int> replicaCountOf)
    {
        var racks = living.Where(broker => taken.Contains(broker.Id)).Select(broker => broker.Rack).ToHashSet();
        var free = living.Where(broker => !taken.Contains(broker.Id)).ToList();
        if (free.Count == 0) return null;
        return free.OrderBy(broker => broker.Rack is not null && racks.Contains(broker.Rack)).ThenBy(broker => replicaCountOf(broker.Id))
            .ThenBy(broker => broker.Id.Value).First().Id;
    }

    private static ImmutableArray<BrokerId> PlaceOne(List<PlaceableBroker> ring, int partition, int replicationFactor)
    {
        var first = partition % ring.Count;
        var chosen = new List<PlaceableBroker> { ring[first] };
        // Another distance between leader and followers for each round of the ring.
        var shift = ring.Count > 1 ? 1 + partition / ring.Count % (ring.Count - 1) : 0;
        var candidates = Enumerable.Range(0, ring.Count - 1).Select(step => ring[(first + 1 + (shift - 1 + step) % (ring.Count - 1)) % ring.Count]).ToList();
        while (chosen.Count < replicationFactor)
        {
            var next = candidates.FirstOrDefault(broker => IsInNewRack(broker, chosen), candidates[0]);
            candidates.Remove(next);
            chosen.Add(next);
        }

        return [.. chosen.Select(broker => broker.Id)];
    }

    private static bool IsInNewRack(PlaceableBroker broker, List<PlaceableBroker> chosen) =>
        broker.Rack is null || chosen.TrueForAll(other => other.Rack != broker.Rack);

    // Neighbours on the ring stand in different racks as far as possible.
    private static List<PlaceableBroker> AlternateRacks(IReadOnlyList<PlaceableBroker> brokers) =>
        [.. brokers.OrderBy(broker => broker.Id.Value)
            .GroupBy(broker => broker.Rack)
            .OrderBy(rack => rack.Key, StringComparer.Ordinal)
            .SelectMany(rack => rack.Select((broker, index) => (broker, index)))
            .OrderBy(each => each.index)
            .Select(each => each.broker)];
}
