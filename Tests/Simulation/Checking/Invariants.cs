using OrleansLog.Protocol;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Metadata;
using OrleansLog.Replication.Replicas;
using OrleansLog.Simulation.Faults;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation.Checking;

/// <summary>The partition's record changes step by step, each step by one writer who knew the one before.</summary>
public sealed class RegisterInvariant() : Checker("1 register")
{
    private readonly HashSet<string> _nonces = [];

    public override void OnRegistered(VersionedPartition? before, VersionedPartition after)
    {
        var record = after.Record;
        Require(_nonces.Add(record.Nonce), $"the nonce {record.Nonce} was written twice");
        Require(record.InSync.All(member => record.Replicas.Contains(member.Broker)), $"in sync but no replica: {record}");
        Require(record.Leader == BrokerId.None || record.IsInSync(record.Leader), $"the leader is not in sync: {record}");
        if (before is null) return;
        var epochs = record.LeaderEpoch.Value - before.Record.LeaderEpoch.Value;
        Require(epochs is 0 or 1, $"the epoch went from {before.Record.LeaderEpoch} to {record.LeaderEpoch}");
        Require(
            epochs == 1 || record.Leader == before.Record.Leader || record.Leader == BrokerId.None,
            $"another leader in the same epoch: {record}");
    }
}

/// <summary>One leader an epoch, and nobody who has answered an epoch takes anything of a lower one.</summary>
public sealed class FencingInvariant() : Checker("2 fencing")
{
    private readonly Dictionary<LeaderEpoch, BrokerId> _leaders = [];
    private readonly Dictionary<(BrokerId, int Disk), LeaderEpoch> _answered = [];

    public override void OnLed(SimBroker broker, LeaderEpoch epoch) =>
        Require(_leaders.TryAdd(epoch, broker.Id), $"brokers {_leaders[epoch]} and {broker.Id} lead in epoch {epoch}");

    public override void OnAnswered(SimBroker broker, AppendRequest request, AppendReply reply)
    {
        var key = (broker.Id, broker.DiskGeneration);
        var highest = _answered.GetValueOrDefault(key, LeaderEpoch.None);
        Require(reply.LeaderEpoch >= highest || reply.Code == AppendCode.Unknown, $"broker {broker.Id} has forgotten epoch {highest}");
        Require(
            reply.Code != AppendCode.Accepted || request.LeaderEpoch >= highest,
            $"broker {broker.Id} took an append of epoch {request.LeaderEpoch} after it had answered {highest}");
        if (reply.LeaderEpoch > highest) _answered[key] = reply.LeaderEpoch;
    }
}

/// <summary>Where two logs have the same offset and epoch, they are the same up to there.</summary>
public sealed class LogMatchingInvariant() : Checker("3 log matching")
{
    private readonly Dictionary<(Offset, LeaderEpoch), (BatchId Batch, LeaderEpoch Before)> _seen = [];

    public override void OnOpened(SimBroker broker) => OnAppended(broker, 0);

    public override void OnAppended(SimBroker broker, int firstBatch)
    {
        var batches = broker.Shadow.Batches;
        for (var i = firstBatch; i < batches.Count; i++)
        {
            // Where damage is refused the batch before is not seen, and before the log's start there is none any more.
            if (batches[i].Base != (i == 0 ? Offset.Zero : batches[i - 1].Next) || IsFirst(broker, batches[i].Base)) continue;
            var before = i == 0 ? LeaderEpoch.None : batches[i - 1].Epoch;
            var key = (batches[i].Base, batches[i].Epoch);
            if (_seen.TryAdd(key, (batches[i], before))) continue;
            Require(_seen[key] == (batches[i], before), $"broker {broker.Id} has another batch at offset {batches[i].Base} of epoch {batches[i].Epoch}: {batches[i]} after epoch {before}, not {_seen[key]}");
        }
    }

    private static bool IsFirst(SimBroker broker, Offset offset) => offset > Offset.Zero && broker.Replica?.Log.LogStartOffset >= offset;
}

/// <summary>What is committed is held by the whole in-sync set, durably, and the set is large enough.</summary>
public sealed class CommitInvariant() : Checker("4 commit")
{
    public override void OnHighWatermark(SimBroker broker, PartitionReplica replica, Offset highWatermark)
    {
        if (!replica.IsLeader) return;
        var ledger = Cluster.Ledger.Of(replica.LeaderEpoch);
        var inSync = replica.Leading!.Current.Record.InSync.Length;
        Require(
            highWatermark <= ledger.End || inSync >= Cluster.Profile.Replication.MinInSyncReplicas,
            $"broker {broker.Id} commits up to {highWatermark} with {inSync} in sync");
        while (ledger.End < highWatermark && Next(broker, ledger.End) is { } next)
        {
            Require(next.Batch.Next <= highWatermark, $"the high watermark {highWatermark} splits a batch");
            // In another branch there are other members.
            if (ledger == Cluster.Ledger.Current) CheckHeld(ledger, next.Batch);
            Cluster.Committed(ledger, replica.LeaderEpoch, next.Holder, next.Batch);
        }

        Require(highWatermark <= ledger.End, $"broker {broker.Id} commits up to {highWatermark} and has only {broker.Shadow.End}: " + string.Join(" | ", Cluster.Brokers.Select(b => $"{b.Id} {b.Replica?.Log.LogStartOffset} {b.Replica?.Log.LogEndOffset} " + b.Shadow)));
    }

    // The leader's next batch; another's where the leader knows that its own copy is damaged: of what the others have there,
    // the one of the same epoch is the same (invariant 3).
    private (SimBroker Holder, BatchId Batch)? Next(SimBroker leader, Offset at)
    {
        foreach (var broker in Cluster.Brokers.Where(other => other != leader).Prepend(leader))
            if ((broker.Shadow.At(at) ?? AtStart(broker, at)) is { } batch && leader.Shadow.HoldsOrRefuses(batch) && IsOfItsEpoch(leader, at, batch)) return (broker, batch);
        return null;
    }

    private static bool IsOfItsEpoch(SimBroker leader, Offset at, BatchId batch) => leader.Replica!.Log.EpochAt(at) == batch.Epoch;

    // Where all before is deleted, a batch of a later leadership may have begun before.
    private static BatchId? AtStart(SimBroker broker, Offset at) => broker.Replica?.Log.LogStartOffset == at ? broker.Shadow.AtStart(at) : null;

    private void CheckHeld(LedgerBranch ledger, BatchId batch)
    {
        if (Cluster.PeekPartition() is not { } current) return;
        // A deposed leader may finish what the in-sync set of its own time holds; the set now is a part of that or its successor's.
        foreach (var member in current.Record.InSync)
        {
            var broker = Cluster.Find(member.Broker);
            // It did hold it, when it said so.
            if (broker.DamagedInEpoch >= member.BrokerEpoch) continue;
            if (Cluster.Profile.Promise == Promise.InMemory && broker.CrashedInEpoch >= member.BrokerEpoch) continue;
            var shadow = broker.Shadow;
            var durable = broker.Replica?.Log.SettledOffset ?? shadow.CoveredEnd;
            Require(ledger.IsSafeAt(broker, batch), $"offset {batch.Base} of epoch {batch.Epoch} is committed and broker {member.Broker}, in sync, lacks it: {current.Record}");
            Require(durable >= batch.Next, $"offset {batch.Base} is committed and not durable on broker {member.Broker}: {current.Record}");
        }

    }
}

/// <summary>
/// Whoever leads has everything committed, and what was acknowledged is committed and stays: but for an election that may
/// lose records, which only some topics allow, and which is named as such.
/// </summary>
public sealed class DurabilityInvariant() : Checker("5 durability")
{
    private readonly List<(LeaderEpoch Epoch, Offset Offset, long Value)> _acknowledged = [];

    public override void OnRegistered(VersionedPartition? before, VersionedPartition after)
    {
        var record = after.Record;
        if (before is null || record.UncleanEpoch == before.Record.UncleanEpoch) return;
        Require(record.UncleanEpoch == record.LeaderEpoch && record.LeaderEpoch > before.Record.LeaderEpoch, $"no new leadership is unclean: {record}");
        Require(record.InSync.Length == 1 && record.Eligible.IsEmpty, $"others are trusted after an unclean election: {record}");
        Require(Cluster.Profile.Promise != Promise.Durable, $"an unclean election: {before.Record} became {record}");
        if (Cluster.Profile.Promise == Promise.InMemory) CheckNobodyHasMore(before.Record, record.Leader);
    }

    // Each has crashed since it acknowledged, and the leader is one of them.
    private void CheckNobodyHasMore(PartitionRecord before, BrokerId leader)
    {
        var members = before.InSync.Concat(before.Eligible).ToList();
        Require(members.Exists(member => member.Broker == leader), $"broker {leader} is elected as a survivor, which it is not: {before}");
        foreach (var member in members)
            Require(Cluster.Find(member.Broker).CrashedInEpoch >= member.BrokerEpoch, $"broker {leader} is elected as a survivor, and {member} has everything: {before}");
    }

    public override void OnLed(SimBroker broker, LeaderEpoch epoch)
    {
        var ledger = Cluster.Ledger.Of(epoch);
        foreach (var batch in ledger.Batches.Where(batch => Cluster.Ledger.CommittedBy(batch) < epoch))
            Require(ledger.IsSafeAt(broker, batch), $"broker {broker.Id} leads epoch {epoch} and lacks the committed batch at {batch.Base} of epoch {batch.Epoch}");
    }

    public override void OnAcknowledged(LeaderEpoch epoch, Offset offset, long value)
    {
        _acknowledged.Add((epoch, offset, value));
        var committed = Cluster.Ledger.Of(epoch).ValueAt(offset);
        Require(committed == value, $"value {value} was acknowledged at {offset}, where {committed} is committed");
    }

    public override void AtEnd()
    {
        var last = Cluster.Ledger.Current;
        foreach (var (epoch, offset, value) in _acknowledged)
        {
            // What an unclean election took away was in no log that it left.
            if (Cluster.Ledger.Of(epoch) != last && last.ValueAt(offset) != value) Cluster.Lost++;
            else if (offset >= last.DeletedBefore) Require(Cluster.FinalValueAt(offset) == value, $"value {value}, acknowledged at {offset}, is lost");
        }
    }
}

/// <summary>Nobody is in the in-sync set who does not hold everything committed, as it is now and not as it once was.</summary>
public sealed class MembershipInvariant() : Checker("6 membership")
{
    public override void OnRegistered(VersionedPartition? before, VersionedPartition after)
    {
        if (before is null) return;
        foreach (var member in after.Record.InSync)
        {
            if (before.Record.FindInSync(member.Broker) == member) continue;
            var broker = Cluster.Find(member.Broker);
            if (broker.Record?.Epoch != member.BrokerEpoch || broker.Replica is null) continue;
            var ledger = Cluster.Ledger.Of(after.Record.LeaderEpoch);
            foreach (var batch in ledger.Batches)
                Require(ledger.IsSafeAt(broker, batch), $"broker {member.Broker} joins the in-sync set and lacks the committed batch at {batch.Base}, with a log from {broker.Replica?.Log.LogStartOffset} to {broker.Replica?.Log.LogEndOffset}: {after.Record}");
        }
    }
}

/// <summary>In one life of a replica, and one branch, the high watermark never moves back, and no committed offset is ever cut off by whoever is in sync.</summary>
public sealed class HighWatermarkInvariant() : Checker("7 high watermark")
{
    private readonly Dictionary<(PartitionReplica, ReplicaIncarnation, LedgerBranch), Offset> _known = [];

    public override void OnHighWatermark(SimBroker broker, PartitionReplica replica, Offset highWatermark)
    {
        var ledger = Cluster.Ledger.Of(replica.Epoch);
        Require(highWatermark >= _known.GetValueOrDefault((replica, replica.Incarnation, ledger)), $"the high watermark of broker {broker.Id} went back to {highWatermark}");
        Require(highWatermark <= ledger.End, $"broker {broker.Id} knows {highWatermark} as committed; {ledger.End} is");
        _known[(replica, replica.Incarnation, ledger)] = highWatermark;
    }

    public override void OnTruncating(SimBroker broker, Offset end)
    {
        var isMember = Cluster.PeekPartition()?.Record.FindInSync(broker.Id) is { } member && member.BrokerEpoch >= broker.Record?.CleanSince;
        Require(!isMember || broker.Replica?.IsFailed == true || end >= Cluster.Ledger.Current.End || broker.Shadow.End <= end || !Cuts(broker, end),
            $"broker {broker.Id}, in sync, cuts its log to {end}; {Cluster.Ledger.Current.End} is committed");
    }

    public override void OnRestarting(SimBroker broker)
    {
        var isMember = Cluster.PeekPartition()?.Record.FindInSync(broker.Id) is { } member && member.BrokerEpoch >= broker.Record?.CleanSince;
        Require(!isMember || !Cuts(broker, Offset.Zero), $"broker {broker.Id}, in sync, drops its log; {Cluster.Ledger.Current.End} is committed, all before {Cluster.Ledger.Current.DeletedBefore} deleted");
    }

    private bool Cuts(SimBroker broker, Offset end) =>
        Cluster.Ledger.Current.Batches.Any(batch => batch.Next > end && batch.Next > Cluster.Ledger.Current.MayStartAt && broker.Shadow.Holds(batch));
}

/// <summary>No answer to a reader comes from a leadership older than the reader knows of.</summary>
public sealed class ReaderFencingInvariant() : Checker("8 reader fencing")
{
    public override void OnPolled(SimBroker broker, LeaderEpoch known, LeaderEpoch answered, Offset offset, long value)
    {
        Require(answered >= known, $"broker {broker.Id} answers in epoch {answered} to a reader that knows {known}");
        var committed = Cluster.Ledger.Of(answered).ValueAt(offset);
        Require(committed == value, $"a reader got {value} at {offset}, where {committed} is committed");
    }
}

/// <summary>After a failed flush a replica claims nothing new until it has opened its log anew.</summary>
public sealed class FailedFlushInvariant() : Checker("9 failed flush")
{
    private readonly Dictionary<BrokerId, (PartitionReplica Replica, ReplicaIncarnation Life, Offset Flushed)> _failed = [];

    public override void OnFlushFailed(SimBroker broker)
    {
        if (broker.Replica is { } replica) _failed[broker.Id] = (replica, replica.Incarnation, replica.Log.SettledOffset);
    }

    public override void OnAnswered(SimBroker broker, AppendRequest request, AppendReply reply)
    {
        if (reply.Code != AppendCode.Accepted || !_failed.TryGetValue(broker.Id, out var failed)) return;
        // Another replica, after the partition was moved away and back, has another log.
        if (failed.Replica != broker.Replica || failed.Life != reply.Incarnation) return;
        Require(reply.Matched <= failed.Flushed, $"broker {broker.Id} claims {reply.Matched} after a flush failed at {failed.Flushed}");
    }
}

/// <summary>Queues and windows stay within their limits.</summary>
public sealed class LimitsInvariant() : Checker("10 limits")
{
    public override void OnSending(SimBroker from, BrokerId to, AppendRequest request, int outstanding) =>
        Require(outstanding <= 2 * Cluster.Profile.Replication.AppendsInFlightMax, $"{outstanding} appends under way from {from.Id} to {to}");

    public override void AfterEvent()
    {
        foreach (var broker in Cluster.Brokers)
        {
            if (broker.Replica?.Leading is not { } leading) continue;
            foreach (var follower in leading.Followers)
                if (follower.AppendsInFlight is < 0 || follower.AppendsInFlight > Cluster.Profile.Replication.AppendsInFlightMax)
                    Require(false, $"{follower.AppendsInFlight} appends in flight from {broker.Id} to {follower.Broker}");
        }
    }
}

/// <summary>Of each key every replica of a compacted topic has the last committed record, and nothing of one that was deleted.</summary>
public sealed class CompactionInvariant() : Checker("11 compaction")
{
    public override void AtEnd()
    {
        if (!Cluster.Profile.IsCompacted) return;
        foreach (var broker in Cluster.Replicas) CheckKeys(broker);
    }

    private void CheckKeys(SimBroker broker)
    {
        var ledger = Cluster.Ledger.Current;
        var log = broker.Replica!.Log;
        // Where it is alone with damage it keeps that, and serves nothing of it.
        if (ReadAll(log) is not { } there) return;
        foreach (var (offset, value) in there) Require(ledger.ValueAt(offset) == value, $"broker {broker.Id} has {value} at {offset}, where {ledger.ValueAt(offset)} is committed");
        foreach (var (key, last) in ledger.LastOfKeys)
        {
            if (last < log.LogStartOffset || there.ContainsKey(last)) continue;
            Require(Records.IsTombstone(ledger.ValueAt(last)), $"broker {broker.Id} lacks offset {last}, the last of key {key}");
            Require(!there.Any(record => Records.KeyOf(record.Value) == key), $"broker {broker.Id} has key {key} again, which was deleted at {last}");
        }
    }

    private static Dictionary<Offset, long>? ReadAll(Storage.PartitionLog log)
    {
        var there = new Dictionary<Offset, long>();
        for (var at = log.LogStartOffset; at < log.LogEndOffset;)
        {
            var read = log.Read(at, 1 << 20, log.LogEndOffset);
            if (read.Refused is not null) return null;
            var bytes = new byte[read.Slice.Length];
            read.Slice.Read(bytes);
            foreach (var (offset, value) in Records.Read(bytes))
                if (offset >= log.LogStartOffset) there[offset] = value;
            foreach (var batch in new Protocol.Records.RecordBatchEnumerator(bytes)) at = batch.Header.NextOffset;
        }

        return there;
    }
}
