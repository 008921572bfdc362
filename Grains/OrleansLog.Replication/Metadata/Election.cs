using OrleansLog.Protocol;

namespace OrleansLog.Replication.Metadata;

/// <summary>
/// Who may lead a partition. Every broker decides for itself alone, because it alone knows for certain what it still
/// has; the register lets one of them win.
/// </summary>
public static class Election
{
    /// <summary>On what ground a broker may lead; the lower, the better.</summary>
    public enum Claim
    {
        /// <summary>It is in the in-sync set.</summary>
        InSync,

        /// <summary>It left the in-sync set when nothing could be committed any more (KIP-966).</summary>
        Eligible,

        /// <summary>It was in either, stopped uncleanly since, and has all that it ever acknowledged on its disk.</summary>
        Recovered,

        /// <summary>
        /// It was in either, and what it acknowledged without a flush may be gone with an unclean stop. It may lead when
        /// nobody is left who has more: the topic chose to risk that (KIP-966's last known leader).
        /// </summary>
        Survivor,

        /// <summary>
        /// Everybody who had everything has lost it, disk and all, and a remote store has what was committed some time ago:
        /// there is no more to be had.
        /// </summary>
        Rebuilt,

        /// <summary>It may lack committed records, and the topic accepts that.</summary>
        Unclean,

        /// <summary>It must not lead.</summary>
        None,
    }

    /// <summary>What a broker, as it is now, can claim.</summary>
    public static Claim ClaimOf(PartitionRecord record, BrokerRecord self, ReplicationOptions options)
    {
        if (!record.Replicas.Contains(self.Id)) return Claim.None;
        var inSync = TrustIn(record.FindInSync(self.Id), self);
        var eligible = TrustIn(record.FindEligible(self.Id), self);
        if (inSync == ReplicaTrust.Kept) return Claim.InSync;
        if (eligible == ReplicaTrust.Kept) return Claim.Eligible;
        var isRecovered = inSync == ReplicaTrust.Recovered || eligible == ReplicaTrust.Recovered;
        if (isRecovered) return options.IsFlushedBeforeAcknowledged ? Claim.Recovered : Claim.Survivor;
        return options.UncleanLeaderElectionEnable ? Claim.Unclean : options.IsStoredRemotely ? Claim.Rebuilt : Claim.None;
    }

    /// <summary>Whether a leader on this ground may lack committed records.</summary>
    public static bool MayLackRecords(Claim claim) => claim is Claim.Survivor or Claim.Rebuilt or Claim.Unclean;

    /// <summary>
    /// The record that makes a broker the leader. Members of the in-sync set that are alive stay in it; of the others it
    /// is remembered that they hold everything committed, if the set is now too small to commit more.
    /// </summary>
    public static PartitionRecord Elect(
        PartitionRecord record, BrokerRecord self, Claim claim, Func<BrokerId, bool> isAlive, ReplicationOptions options)
    {
        var me = new InSyncReplica(self.Id, self.Epoch);
        var epoch = new LeaderEpoch(record.LeaderEpoch.Value + 1);
        if (MayLackRecords(claim))
            return record with { Leader = self.Id, LeaderEpoch = epoch, UncleanEpoch = epoch, InSync = [me], Eligible = [] };
        var others = record.InSync.Where(member => member.Broker != self.Id && isAlive(member.Broker));
        var inSync = others.Append(me).OrderBy(member => record.Replicas.IndexOf(member.Broker));
        var elected = record.WithInSync([.. inSync], options.MinInSyncReplicas);
        return elected with { Leader = self.Id, LeaderEpoch = epoch };
    }

    /// <summary>
    /// Whether another replica lives, as far as the engine knows, that has everything for certain: one that has not
    /// stopped, or cleanly only, since it showed that it had caught up. A replica with a lesser claim leaves the partition
    /// to it.
    /// </summary>
    /// <param name="record">The partition.</param>
    /// <param name="self">Who asks.</param>
    /// <param name="cluster">Who is alive.</param>
    /// <param name="registered">What a broker is registered with.</param>
    public static async Task<bool> HasBetterAsync(
        PartitionRecord record, BrokerId self, IClusterView cluster, Func<BrokerId, Task<BrokerRecord?>> registered)
    {
        foreach (var member in record.InSync.Concat(record.Eligible).Where(member => member.Broker != self && cluster.IsAlive(member.Broker)))
            if (await registered(member.Broker) is { } other && other.TrustIn(member) == ReplicaTrust.Kept) return true;
        return false;
    }

    /// <summary>
    /// Whether every other replica that had everything has lost it, as the register knows for certain: nobody may be
    /// waited for whose return would bring more.
    /// </summary>
    /// <param name="record">The partition.</param>
    /// <param name="self">Who asks.</param>
    /// <param name="registered">What a broker is registered with.</param>
    public static async Task<bool> IsLastSurvivorAsync(PartitionRecord record, BrokerId self, Func<BrokerId, Task<BrokerRecord?>> registered)
    {
        foreach (var member in record.InSync.Concat(record.Eligible))
        {
            if (member.Broker == self) continue;
            if (await registered(member.Broker) is { } other && other.TrustIn(member) == ReplicaTrust.Kept) return false;
        }

        return true;
    }

    /// <summary>Whether every replica that had everything is on another disk by now, as the register knows for certain.</summary>
    /// <param name="record">The partition.</param>
    /// <param name="self">Who asks, as it is registered.</param>
    /// <param name="registered">What a broker is registered with.</param>
    public static async Task<bool> IsLostAsync(PartitionRecord record, BrokerRecord self, Func<BrokerId, Task<BrokerRecord?>> registered)
    {
        foreach (var member in record.InSync.Concat(record.Eligible))
        {
            var broker = member.Broker == self.Id ? self : await registered(member.Broker);
            if (broker is null || broker.TrustIn(member) != ReplicaTrust.Lost) return false;
        }

        return !record.InSync.IsEmpty;
    }

    /// <summary>
    /// How many others come first, so that brokers that claim the same partition do not all write at once. Only a matter
    /// of good order: the register decides.
    /// </summary>
    public static int RankOf(PartitionRecord record, BrokerRecord self, Claim claim, Func<BrokerId, bool> isAlive)
    {
        var before = record.Replicas.TakeWhile(id => id != self.Id).Count(isAlive);
        // While somebody with a better claim than these lives, they stand back altogether: see HasBetterAsync.
        var isLast = claim is Claim.Eligible or Claim.Rebuilt or Claim.Unclean;
        return isLast ? record.Replicas.Length + before : before;
    }

    private static ReplicaTrust TrustIn(InSyncReplica? member, BrokerRecord self) =>
        member is { } known ? self.TrustIn(known) : ReplicaTrust.Lost;
}
