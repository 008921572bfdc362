using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;
using OrleansLog.Simulation.Running;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation.Faults;

/// <summary>
/// Makes things go wrong while it may, and leaves what was promised to survive: at most one broker of a run, the victim,
/// loses or damages its disk, and only while another member of the in-sync set has all that is committed.
/// </summary>
public sealed class Adversary(SimCluster cluster)
{
    private readonly SimRandom _random = cluster.Random;
    private readonly BrokerId _victim = new(cluster.Random.Below(cluster.Profile.Brokers));
    private bool _isOver;
    private int _nonces;

    // Damage strikes any of the partitions.
    private string PartitionDirectory => "data/" + DrawPartition();

    public void Begin()
    {
        if (cluster.Profile.FaultEveryMs > 0) Next();
    }

    /// <summary>Ends all faults and starts what is down.</summary>
    public void End()
    {
        _isOver = cluster.IsPeace = true;
        cluster.Network.Heal();
        cluster.Network.Faults = new();
        cluster.Register.Faults = new();
        cluster.Store.Faults = new();
        cluster.Store.IsAway = false;
        foreach (var broker in cluster.Brokers)
        {
            broker.Disk.Faults = new();
            broker.Resume();
            broker.Start();
        }

        cluster.TellAll();
    }

    private void Next() => cluster.Scheduler.After(_random.Between(1, 2 * cluster.Profile.FaultEveryMs) * 1000, () =>
    {
        if (_isOver) return;
        Strike(Draw());
        Next();
    });

    private FaultKind Draw()
    {
        var weights = cluster.Profile.Weights;
        var left = _random.Below(weights.Sum());
        for (var kind = 0; ; kind++)
            if ((left -= weights[kind]) < 0) return (FaultKind)kind;
    }

    private void Strike(FaultKind kind)
    {
        var broker = _random.Pick(cluster.Brokers);
        if (VictimIsInDoubt && kind is FaultKind.Crash or FaultKind.Stop or FaultKind.CrashAll or FaultKind.Suspect or FaultKind.Reassign) return;
        // A topic that gives something up for a crash or an absence has promised nothing for damage on top of it.
        if (cluster.Profile.Promise != Promise.Durable && kind is FaultKind.FlipBits or FaultKind.Misdirect or FaultKind.TruncateFile) return;
        switch (kind)
        {
            case FaultKind.Crash: Crash(broker); break;
            case FaultKind.Stop: broker.Stop(); StartLater(broker, 300); break;
            case FaultKind.Pause: Pause(broker); break;
            case FaultKind.CutOneWay: Cut(broker, bothWays: false); break;
            case FaultKind.CutOff: Cut(broker, bothWays: true); break;
            case FaultKind.Suspect: Suspect(broker); break;
            case FaultKind.ForceLeader: ForceLeader(broker); break;
            case FaultKind.CrashAll: foreach (var each in cluster.Brokers) Crash(each); break;
            case FaultKind.Wipe: Wipe(cluster.Find(_victim)); break;
            case FaultKind.ClockJump: JumpClock(broker); break;
            case FaultKind.ForceLeaders: foreach (var each in cluster.Brokers) ForceLeader(each); break;
            case FaultKind.Misdirect: DamageStopped(disk => disk.Misdirect(PartitionDirectory)); break;
            case FaultKind.TruncateFile: DamageStopped(disk => disk.CutFile(PartitionDirectory)); break;
            case FaultKind.Reassign: Reassign(); break;
            case FaultKind.DeleteRecords: DeleteRecords(); break;
            case FaultKind.StoreAway: TakeStoreAway(); break;
            case FaultKind.FlipBits: FlipBits(cluster.Find(_victim)); break;
        }
    }

    // A damaged disk that a crash has made a candidate: as long as it is one, the others must stay.
    private bool VictimIsInDoubt =>
        cluster.PeekAll().Any(current => IsInDoubt(current.Record));

    private bool IsInDoubt(PartitionRecord record) =>
        (record.FindInSync(_victim) ?? record.FindEligible(_victim)) is { } member
        && member.BrokerEpoch <= cluster.Find(_victim).DamagedInEpoch;

    private void Crash(SimBroker broker)
    {
        broker.Crash();
        StartLater(broker, 1_000);
    }

    private void StartLater(SimBroker broker, int maxMs) => cluster.Scheduler.After(_random.Between(1, maxMs) * 1000, () =>
    {
        if (!_isOver) broker.Start();
    });

    private void Pause(SimBroker broker)
    {
        broker.Pause();
        cluster.Scheduler.After(_random.Between(1, 2_000) * 1000, broker.Resume);
    }

    private void Cut(SimBroker broker, bool bothWays)
    {
        foreach (var other in cluster.Brokers.Where(other => other != broker && (bothWays || _random.Chance(0.5))))
        {
            cluster.Network.Cut(broker.Id.Value, other.Id.Value);
            if (bothWays) cluster.Network.Cut(other.Id.Value, broker.Id.Value);
        }

        cluster.Trace($"cut {broker.Id}");
        cluster.Scheduler.After(_random.Between(1, 3_000) * 1000, cluster.Network.Heal);
    }

    // Somebody believes that a broker is gone, for a while.
    private void Suspect(SimBroker of)
    {
        var who = _random.Pick(cluster.Brokers);
        if (who == of || who.View is not { } view) return;
        cluster.Trace($"{who.Id} suspects {of.Id}");
        view.Suspect(of.Id);
        who.Process?.Enter(() => who.Replicas?.OnBrokersChanged());
        cluster.Scheduler.After(_random.Between(1, 2_000) * 1000, () => SimCluster.Tell(who, of));
    }

    // Somebody believes that it is to lead, whatever the others think.
    private void ForceLeader(SimBroker broker) => broker.Process?.Enter(() =>
    {
        var id = DrawPartition();
        if (FindReplica(broker, id) is { } replica && cluster.Peek(id) is { } current) _ = TryLeadAsync(replica, current);
    });

    private static Replication.Replicas.PartitionReplica? FindReplica(SimBroker broker, TopicPartition id) =>
        id == SimCluster.Partition ? broker.Replica : broker.Replicas?.Find(id);

    private TopicPartition DrawPartition() => cluster.Topics.Count == 0 ? SimCluster.Partition : _random.Pick([SimCluster.Partition, .. cluster.Others]);

    private static async Task TryLeadAsync(Replication.Replicas.PartitionReplica replica, VersionedPartition current)
    {
        try
        {
            await replica.TryLeadAsync(current);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // It was closed, or its disk failed.
        }
    }

    // As an administrator, or as retention does: whoever thinks that it leads.
    private void DeleteRecords()
    {
        foreach (var broker in cluster.Brokers) broker.Process?.Enter(() => DeleteRecords(broker));
    }

    private void DeleteRecords(SimBroker broker)
    {
        if (broker.Replica is not { IsLeader: true } replica) return;
        if ((broker.Tier is { } tier ? tier.Of(replica)?.LogStartOffset : replica.Log.LogStartOffset) is not { } start) return;
        // A new leader may not have heard yet how far all is committed, not even that what is deleted was.
        if (replica.HighWatermark < start) return;
        var before = start + _random.Below(replica.HighWatermark - start + 1);
        if (_random.Chance(0.3)) before = replica.HighWatermark;
        cluster.NoteDeletion(replica.LeaderEpoch, before);
        _ = broker.Tier?.DeleteBeforeAsync(replica, before) ?? replica.DeleteBeforeAsync(before).AsTask();
    }

    private void TakeStoreAway()
    {
        cluster.Store.IsAway = true;
        cluster.Trace("store away");
        cluster.Scheduler.After(_random.Between(1, 3_000) * 1000, () => cluster.Store.IsAway = false);
    }

    private void Wipe(SimBroker broker)
    {
        if (!OthersHoldEverything(broker)) return;
        broker.Crash();
        broker.Forget();
        broker.Wipe();
        StartLater(broker, 1_000);
    }

    // The time of day is another one all at once; the monotonic clock does not show it.
    private void JumpClock(SimBroker broker)
    {
        if (broker.Clock is not { } clock) return;
        clock.Offset += TimeSpan.FromSeconds(_random.Between(-100_000, 100_000));
        cluster.Trace($"clock of {broker.Id} jumps");
    }

    // After a clean stop, which has noted where the log ends: a tail that was lost otherwise cannot be missed by anybody.
    private void DamageStopped(Action<SimDisk> damage)
    {
        var broker = cluster.Find(_victim);
        if (!OthersHoldEverything(broker) || broker.Replicas is null || broker.Replica is null) return;
        broker.Stop();
        cluster.Scheduler.After(200_000, () =>
        {
            if (broker.IsRunning || _isOver || !broker.HasStoppedCleanly || !OthersHoldEverything(broker)) return;
            damage(broker.Disk);
            broker.NoteDamage();
            cluster.Bug?.AfterCrash(broker);
            cluster.Trace($"damage {broker.Id}");
        });
        cluster.Scheduler.After(200_000 + _random.Between(1, 1_000) * 1000, () =>
        {
            if (!_isOver) broker.Start();
        });
    }

    // Moves the partition to other brokers, or changes its mind; how it goes on is the leader's matter.
    private void Reassign()
    {
        var process = new SimProcess(cluster.Scheduler);
        process.Enter(() => _ = ReassignAsync(process));
    }

    private async Task ReassignAsync(SimProcess process)
    {
        var clock = new SimClock(cluster.Scheduler, process, 1, TimeSpan.Zero);
        var register = new PartitionRegister(cluster.Register.ClientOf(process), () => $"admin-{_nonces++}", clock, 20);
        if (await register.ReadAsync(SimCluster.Partition, default) is not { } current || _isOver) return;
        var isMoving = !current.Record.Adding.IsEmpty || !current.Record.Removing.IsEmpty;
        var brokers = cluster.Brokers.Select(broker => broker.Id).ToList();
        while (brokers.Count > cluster.Profile.ReplicationFactor) brokers.RemoveAt(_random.Below(brokers.Count));
        var wanted = isMoving && _random.Chance(0.3) ? Reassignment.Cancel(current.Record) : Reassignment.Begin(current.Record, [.. brokers]);
        await register.ChangeAsync(SimCluster.Partition, wanted, current.Version, default);
    }

    private void FlipBits(SimBroker broker)
    {
        if (!OthersHoldEverything(broker)) return;
        if (_random.Chance(0.5) && broker.Replicas is not null)
        {
            broker.Stop();
            cluster.Scheduler.After(100_000, () => Damage(broker));
        }
        else
        {
            broker.Crash();
            Damage(broker);
        }

        StartLater(broker, 1_000);
    }

    private void Damage(SimBroker broker)
    {
        if (broker.IsRunning || _isOver || !OthersHoldEverything(broker)) return;
        broker.Disk.FlipBits(PartitionDirectory, 1 + _random.Below(3));
        broker.NoteDamage();
        cluster.Bug?.AfterCrash(broker);
        cluster.Trace($"flip bits of {broker.Id}");
    }

    // And are up: after a crash the end of a log that was damaged meanwhile cannot be told from one that was never flushed,
    // so that such a broker may lead only while nobody better is there.
    private bool OthersHoldEverything(SimBroker victim) =>
        cluster.PeekPartition() is not null
        && cluster.PeekAll().All(current => current.Record.InSync.Any(member => member.Broker != victim.Id && member.Broker != _victim && HasAll(cluster.Find(member.Broker), member)));

    private static bool HasAll(SimBroker broker, InSyncReplica member) => broker.Replicas is not null && broker.CrashedInEpoch < member.BrokerEpoch;
}
