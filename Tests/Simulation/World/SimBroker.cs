using OrleansLog.Protocol;
using OrleansLog.Replication;
using OrleansLog.Replication.Brokers;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Metadata;
using OrleansLog.Replication.Replicas;
using OrleansLog.Simulation.Coordinators;
using OrleansLog.Simulation.Running;
using OrleansLog.Storage;
using OrleansLog.Storage.Compaction;

namespace OrleansLog.Simulation.World;

/// <summary>One machine with its disk, and the broker that runs on it at times.</summary>
public sealed class SimBroker(SimCluster cluster, BrokerId id) : IReplicationObserver
{
    public const string DataDirectory = "data";

    // Little enough that a pass takes several steps, between which the log may be cut or rolled.
    private const int ScrubBytesPerStep = 4096;
    private static readonly TimeSpan ScrubInterval = TimeSpan.FromSeconds(3);

    private int _starts;
    private Task? _compaction;
    private BrokerLife? _life;

    public BrokerId Id => id;

    public SimDisk Disk { get; } = new(cluster.Scheduler, cluster.Random);

    /// <summary>What the replica's log consists of, as far as was seen; it outlives the process as the disk does.</summary>
    public Shadow Shadow { get; } = new(cluster.Ledger);

    public SimProcess? Process { get; private set; }

    public SimClock? Clock { get; private set; }

    /// <summary>Set while the broker serves.</summary>
    public BrokerReplicas? Replicas { get; private set; }

    /// <summary>The replica, from its opening to the end of the process.</summary>
    public PartitionReplica? Replica { get; private set; }

    public SimView? View { get; private set; }

    /// <summary>What coordinates and serves clients here; null where the cluster has no coordinators, and while it is down.</summary>
    public SimNode? Node { get; private set; }

    /// <summary>Whether clients are answered.</summary>
    public bool IsServing => Process is not null && (Replicas is not null || !cluster.Profile.HasCoordinators);

    /// <summary>Set while the broker serves, if the topic is kept in the remote store as well.</summary>
    public SimTier? Tier { get; private set; }

    public BrokerRecord? Record { get; private set; }

    /// <summary>Whether the last process closed everything before it ended.</summary>
    public bool HasStoppedCleanly { get; private set; }

    public bool IsRunning => Process is not null;

    /// <summary>Counts the disks.</summary>
    public int DiskGeneration { get; private set; }

    /// <summary>The broker epoch in which its disk was last damaged or replaced; -1 if never.</summary>
    public long DamagedInEpoch { get; private set; } = -1;

    /// <summary>The broker epoch that last ended otherwise than by a clean stop, or with its disk; -1 if none has.</summary>
    public long CrashedInEpoch { get; private set; } = -1;

    public void NoteDamage() => DamagedInEpoch = Record?.Epoch ?? -1;

    public void Start()
    {
        if (Process is not null) return;
        _starts++;
        HasStoppedCleanly = false;
        Process = new SimProcess(cluster.Scheduler);
        _compaction = null;
        Clock = new SimClock(cluster.Scheduler, Process, cluster.Profile.DrawClockRate(cluster.Random), TimeSpan.FromSeconds(cluster.Random.Between(-5, 5)));
        View = new SimView(cluster);
        cluster.Trace($"start {id}");
        Process.Enter(() => _ = RunOrDieAsync(Process, Clock, View));
    }

    /// <summary>The power fails.</summary>
    public void Crash()
    {
        if (Process is null) return;
        End();
        Disk.Crash();
        cluster.Bug?.AfterCrash(this);
        cluster.Trace($"crash {id}");
    }

    /// <summary>The disk is replaced by an empty one. Only while the broker is down.</summary>
    public void Wipe()
    {
        Disk.Wipe();
        Shadow.Clear(Offset.Zero);
        DiskGeneration++;
        NoteDamage();
        CrashedInEpoch = Record?.Epoch ?? -1;
        cluster.Trace($"wipe {id}");
    }

    /// <summary>The broker is told to stop, closes everything and ends.</summary>
    public void Stop()
    {
        if (Process is null || Replicas is null) return;
        var (process, replicas, life) = (Process, Replicas, _life);
        Replicas = null;
        cluster.Trace($"stop {id}");
        process.Enter(() => _ = StopAsync(process, replicas, life!));
    }

    public void Pause()
    {
        Process?.Pause();
        cluster.Trace($"pause {id}");
    }

    public void Resume()
    {
        Process?.Resume();
        cluster.Trace($"resume {id}");
    }

    public void Forget() => LastProcess?.IsForgotten = true;

    private SimProcess? LastProcess { get; set; }

    // A disk that fails at the start ends the process; whoever runs it starts it again.
    private async Task RunOrDieAsync(SimProcess process, SimClock clock, SimView view)
    {
        try
        {
            await RunAsync(process, clock, view);
        }
        catch (IOException e)
        {
            cluster.Trace($"gave up {id}: {e.Message}");
            if (Process == process) End();
            if (!cluster.IsPeace) cluster.Scheduler.After(200_000, Start);
        }
    }

    private async Task RunAsync(SimProcess process, SimClock clock, SimView view)
    {
        var client = cluster.Register.ClientOf(process);
        Disk.CreateDirectory(DataDirectory);
        _life = await BrokerLife.BeginAsync(id, Disk, DataDirectory, client, $"{id}-start-{_starts}", clock, address: default, CancellationToken.None);
        Record = cluster.Bug?.RegisteredAs(_life.Record) ?? _life.Record;
        if (cluster.Profile.Tiering is not null) (Tier = new SimTier(cluster, this, clock)).Begin();
        var nonce = 0;
        var ports = new ReplicaPorts
        {
            Self = Record,
            Files = Disk,
            Channel = new SimChannel(cluster, this),
            CatchUp = new Throttle(clock),
            Register = new PartitionRegister(client, () => $"{id}-{Record.Epoch}-{nonce++}", clock, 20),
            Cluster = view,
            Time = clock,
            Logger = new SimLogger(cluster, this),
            Observer = this,
            Stored = Tier,
        };
        var replicas = new BrokerReplicas(cluster.Bug?.Plant(ports) ?? ports, DataDirectory);
        Disk.FlushFailed = path => OnFlushFailed(path);
        if (cluster.Profile.HasCoordinators) Node = new SimNode(cluster, this, replicas, client, clock, view);
        await PlaceAsync(replicas, clock);
        Replicas = replicas;
        cluster.Came(this);
        var scrubbing = new Scrubbing(replicas, ScrubInterval, ScrubBytesPerStep, clock);
        for (var step = 1; ; step++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), clock);
            await PlaceAsync(replicas, clock);
            replicas.CheckLeaders();
            scrubbing.Step();
            Tier?.Step();
            if (Node is { } node) KeepHouse(node, replicas, process, step);
            if (cluster.Profile.IsCompacted) _compaction ??= CompactAsync(process);
            // News may be lost; whoever waits for a move to go on looks again.
            if (cluster.PeekPartition() is { } current && !(current.Record.Adding.IsEmpty && current.Record.Removing.IsEmpty)) HearOf(current.Record);
        }
    }

    private void KeepHouse(SimNode node, BrokerReplicas replicas, SimProcess process, int step)
    {
        node.ExpireWaits();
        if (step % 5 != 0) return;
        node.Refresh();
        foreach (var id in cluster.Others)
            if (cluster.Peek(id) is { } current && cluster.Random.Chance(0.3)) replicas.OnRecordChanged(id, current.Record, false);
        _compaction ??= CompactOwnAsync(replicas, process);
    }

    private async Task CompactOwnAsync(BrokerReplicas replicas, SimProcess process)
    {
        try
        {
            foreach (var id in cluster.Topics.Where(topic => topic.IsOwn).SelectMany(topic => topic.Partitions))
            {
                if (replicas.Find(id) is not { IsFailed: false } replica || !replica.Log.CompactionBacklog(replica.HighWatermark).IsDue(replica.Log.Options.Compaction!)) continue;
                var done = await replica.CompactAsync(new CompactionTools { KeyBytesMax = 1 << 16 });
                cluster.Trace($"compacted {id} of {Id} to {done?.End}");
            }
        }
        catch (IOException)
        {
            // Its disk failed, or the log was closed meanwhile.
        }
        finally
        {
            if (Process == process) _compaction = null;
        }
    }

    // With as much memory as for a few keys now and then.
    private async Task CompactAsync(SimProcess process)
    {
        try
        {
            if (Replica is not { IsFailed: false } replica || !replica.Log.CompactionBacklog(replica.HighWatermark).IsDue(replica.Log.Options.Compaction!)) return;
            var tools = new CompactionTools { KeyBytesMax = cluster.Random.Chance(0.3) ? 1 : 1 << 16 };
            var done = cluster.Bug is { } bug ? await replica.Log.CompactAsync(bug.CompactsBefore(replica), tools) : await replica.CompactAsync(tools);
            cluster.Trace($"compacted {id} to {done?.End}");
        }
        catch (IOException)
        {
            // Its disk failed, or the log was closed meanwhile.
        }
        finally
        {
            if (Process == process) _compaction = null;
        }
    }

    /// <summary>News of the partition's record.</summary>
    public void HearOf(PartitionRecord record)
    {
        if (Process is not { } process || Replicas is not { } replicas) return;
        HearOf(SimCluster.Partition, record);
    }

    /// <summary>News of any partition's record.</summary>
    public void HearOf(TopicPartition partition, PartitionRecord record)
    {
        if (Process is not { } process || Replicas is not { } replicas) return;
        process.Enter(() =>
        {
            Node?.HearOf(partition, record);
            replicas.OnRecordChanged(partition, record, record.Nonce.StartsWith($"{id}-{Record!.Epoch}-", StringComparison.Ordinal));
        });
    }

    // A broker has a replica while the record says so.
    private async Task PlaceAsync(BrokerReplicas replicas, SimClock clock)
    {
        foreach (var other in cluster.Others)
        {
            if (cluster.Peek(other) is null || !cluster.IsPlacedOn(other, id) || replicas.Find(other) is not null) continue;
            await OpenAsync(other, replicas, clock);
            cluster.Trace($"opened {other} of {id} with {replicas.Find(other)?.Log.LogEndOffset}");
        }

        if (!cluster.IsPlacedOn(id))
        {
            if (Replica is not { IsLeader: true }) await RemoveAsync(replicas);
            return;
        }

        if (Replica is not null) return;
        await OpenAsync(SimCluster.Partition, replicas, clock);
        Replica = replicas.Find(SimCluster.Partition)!;
        Shadow.Replace(Replica.Log);
        cluster.Trace($"opened {id} with {Replica.Log.LogStartOffset} to {Replica.Log.LogEndOffset}, known good to {Shadow.End}, epoch {Record!.Epoch} clean since {Record.CleanSince}");
        cluster.Check(checker => checker.OnOpened(this));
    }

    private async Task RemoveAsync(BrokerReplicas replicas)
    {
        var directory = $"{DataDirectory}/{SimCluster.Partition}";
        if (Replica is null && Disk.List(directory).Count == 0) return;
        try
        {
            await replicas.CloseAsync(SimCluster.Partition);
        }
        catch (IOException)
        {
            // It is thrown away in any case.
        }

        Node?.Forget(SimCluster.Partition);
        Replica = null;
        Disk.Remove(directory);
        Shadow.Clear(Offset.Zero);
        DiskGeneration++;
        cluster.Trace($"removed {id}");
    }

    private async Task OpenAsync(TopicPartition partition, BrokerReplicas replicas, SimClock clock)
    {
        while (true)
        {
            try
            {
                if (Node is { } node) await node.OpenAsync(partition);
                else await replicas.OpenAsync(new(partition, cluster.Profile.Replication, cluster.Profile.Log));
                return;
            }
            catch (IOException)
            {
                // A disk that fails while the log is recovered: whoever runs the broker starts it again.
                await Task.Delay(TimeSpan.FromMilliseconds(200), clock);
            }
        }
    }

    private async Task StopAsync(SimProcess process, BrokerReplicas replicas, BrokerLife life)
    {
        try
        {
            if (Node is { } node) await node.CloseAsync();
            await replicas.DisposeAsync();
            await life.EndCleanlyAsync();
            HasStoppedCleanly = true;
        }
        catch (IOException)
        {
            // Not a clean stop, then.
        }

        if (Process == process) End();
        cluster.Trace($"stopped {id}");
    }

    private void OnFlushFailed(string path)
    {
        cluster.Trace($"flush failed {id} {path}");
        if (path.StartsWith($"{DataDirectory}/{SimCluster.Partition}/", StringComparison.Ordinal) && path.EndsWith(".log", StringComparison.Ordinal)) cluster.Check(checker => checker.OnFlushFailed(this));
    }

    private void End()
    {
        Process!.Kill();
        if (!HasStoppedCleanly) CrashedInEpoch = Record?.Epoch ?? -1;
        LastProcess = Process;
        Process = null;
        Replicas = null;
        Replica = null;
        Tier = null;
        Node = null;
        cluster.Died(this);
    }

    void IReplicationObserver.Appended(PartitionReplica replica, Offset from, Offset end)
    {
        if (!IsWatched(replica)) return;
        var first = Shadow.Extend(replica.Log);
        cluster.Check(checker => checker.OnAppended(this, first));
    }

    void IReplicationObserver.Truncated(PartitionReplica replica, Offset end)
    {
        if (!IsWatched(replica)) return;
        cluster.Trace($"truncate {id} to {end}");
        cluster.Check(checker => checker.OnTruncating(this, end));
        Shadow.TruncateTo(end);
        Shadow.Extend(replica.Log);
    }

    void IReplicationObserver.Restarted(PartitionReplica replica, Offset start)
    {
        if (!IsWatched(replica)) return;
        cluster.Trace($"restart {id} at {start}");
        cluster.Check(checker => checker.OnRestarting(this));
        Shadow.Clear(start);
    }

    void IReplicationObserver.HighWatermarkMoved(PartitionReplica replica, Offset highWatermark)
    {
        if (IsWatched(replica)) cluster.Check(checker => checker.OnHighWatermark(this, replica, highWatermark));
    }

    void IReplicationObserver.Led(PartitionReplica replica, LeaderEpoch epoch)
    {
        if (IsWatched(replica)) cluster.Led(this, epoch, replica.HighWatermark);
        else cluster.Trace($"lead {replica.Id} {id} epoch {epoch}");
        Node?.Led(replica, epoch);
    }

    void IReplicationObserver.SteppedDown(PartitionReplica replica, LeaderEpoch epoch) => Node?.SteppedDown(replica, epoch);

    void IReplicationObserver.Answered(PartitionReplica replica, AppendRequest request, AppendReply reply)
    {
        if (IsWatched(replica)) cluster.Check(checker => checker.OnAnswered(this, request, reply));
    }

    void IReplicationObserver.Diverged(PartitionReplica replica, Exception reason) =>
        cluster.Violate("3 log matching", $"{replica.Id}: {reason.Message}");

    void IReplicationObserver.Failed(PartitionReplica replica, Exception? reason) => cluster.Trace($"failed {id} {replica.Id}");

    private static bool IsWatched(PartitionReplica replica) => replica.Id == SimCluster.Partition;
}
