using System.Collections.Immutable;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Replication.Leading;

/// <summary>Who is in the in-sync set, who leaves it and who joins.</summary>
public partial class LeaderState
{
    private PartitionRecord? Propose(long nowMs)
    {
        if (_proposal is not null || IsSettled(nowMs)) return null;
        var record = Current.Record;
        ImmutableArray<InSyncReplica> inSync =
            [.. record.Replicas.Select(id => Membership(id, nowMs)).OfType<InSyncReplica>()];
        var wanted = inSync.SequenceEqual(record.InSync) ? record : record.WithInSync(inSync, Options.MinInSyncReplicas);
        wanted = Reassignment.Finish(wanted, Options.MinInSyncReplicas);
        return _proposal = ReferenceEquals(wanted, record) ? null : wanted;
    }

    // Asked after every event, and nearly always true: it must cost little.
    private bool IsSettled(long nowMs)
    {
        var record = Current.Record;
        if (!record.Adding.IsEmpty || !record.Removing.IsEmpty) return false;
        foreach (var follower in _followers)
            if (Membership(follower, nowMs) != record.FindInSync(follower.Broker)) return false;
        return true;
    }

    private InSyncReplica? Membership(BrokerId broker, long nowMs) => broker == _self
        ? Current.Record.FindInSync(broker)
        : Membership(_followers.First(each => each.Broker == broker), nowMs);

    private InSyncReplica? Membership(FollowerProgress follower, long nowMs)
    {
        var broker = follower.Broker;
        if (!follower.IsAlive || follower.HasFailed || Lags(follower, nowMs)) return null;
        if (Current.Record.FindInSync(broker) is { } member && !LacksProgressOf(follower, member)) return member;
        return MayJoin(follower) ? new InSyncReplica(broker, follower.Incarnation!.Value.BrokerEpoch) : null;
    }

    /// <summary>Whether the replica stopped uncleanly since it won its membership.</summary>
    protected virtual bool LacksProgressOf(FollowerProgress follower, InSyncReplica member) =>
        follower.Incarnation is not null && member.BrokerEpoch < follower.CleanSince;

    private bool Lags(FollowerProgress follower, long nowMs) =>
        follower.Matched < _log.LogEndOffset && nowMs - follower.CaughtUpMs > Options.ReplicaLagTimeMaxMs;

    // Holding the high watermark is not enough in a new leadership, which may not know yet how far it really is (KAFKA-7128).
    private bool MayJoin(FollowerProgress follower) =>
        follower is { IsProbing: false, Incarnation: not null }
        && follower.Matched >= Offset.Max(HighWatermark, StartOffset);
}
