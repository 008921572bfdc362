using System.Collections.Immutable;
using OrleansLog.Protocol;

namespace OrleansLog.Replication.Metadata;

/// <summary>
/// Moves a partition to other brokers while it is served (KIP-455): the new replicas are added, and once all of them are
/// in sync the old ones go. Decisions only.
/// </summary>
public static class Reassignment
{
    /// <summary>
    /// The record that begins a move to <paramref name="target"/>, whose first broker is to lead. What an earlier move has
    /// added and this one does not want goes at once; if nobody else is in sync, it goes at the end.
    /// </summary>
    public static PartitionRecord Begin(PartitionRecord record, ImmutableArray<BrokerId> target)
    {
        var original = record.Replicas.Except(record.Adding).ToList();
        var leaving = original.Union(target).Any(record.IsInSync) ? original.Except(target) : record.Replicas.Except(target);
        ImmutableArray<BrokerId> removing = [.. leaving];
        return Keeping(record, [.. target, .. removing]) with { Adding = [.. target.Except(original)], Removing = removing };
    }

    /// <summary>
    /// The record that gives a move up: what was added goes again, and leads no more. The same record when nobody else is in
    /// sync.
    /// </summary>
    public static PartitionRecord Cancel(PartitionRecord record)
    {
        ImmutableArray<BrokerId> staying = [.. record.Replicas.Except(record.Adding)];
        if (!staying.Any(record.IsInSync)) return record;
        return Keeping(record, staying) with { Adding = [], Removing = [] };
    }

    private static PartitionRecord Keeping(PartitionRecord record, ImmutableArray<BrokerId> replicas) => record with
    {
        Replicas = replicas,
        InSync = [.. record.InSync.Where(member => replicas.Contains(member.Broker))],
        Eligible = [.. record.Eligible.Where(member => replicas.Contains(member.Broker))],
        Leader = replicas.Contains(record.Leader) ? record.Leader : BrokerId.None,
    };

    /// <summary>Whether a move waits for nothing but that its leader, which is to go, hands over.</summary>
    public static bool MustHandOver(PartitionRecord record, BrokerId leader) =>
        record.Leader == leader && record.Removing.Contains(leader) && record.Adding.All(record.IsInSync)
        && record.InSync.Any(member => !record.Removing.Contains(member.Broker));

    /// <summary>
    /// The record that ends a move, when what was added is in sync; else the same record. A leader that is to go leaves
    /// the others behind last: it hands over before the move ends. Nobody in sync goes while those who stay are too few to
    /// commit anything.
    /// </summary>
    public static PartitionRecord Finish(PartitionRecord record, int minInSyncReplicas)
    {
        if (record.Removing.IsEmpty && record.Adding.IsEmpty) return record;
        var staying = record.Replicas.Except(record.Removing).ToImmutableArray();
        if (!record.Adding.All(record.IsInSync) || record.Removing.Contains(record.Leader)) return record;
        ImmutableArray<InSyncReplica> inSync = [.. record.InSync.Where(member => staying.Contains(member.Broker))];
        if (inSync.Length < Math.Min(Math.Max(minInSyncReplicas, 1), staying.Length)) return record;
        var ended = record.WithInSync(inSync, minInSyncReplicas);
        return ended with
        {
            Replicas = staying,
            Eligible = [.. ended.Eligible.Where(member => staying.Contains(member.Broker))],
            Adding = [],
            Removing = [],
        };
    }
}
