using OrleansLog.Replication;
using OrleansLog.Simulation.Running;
using OrleansLog.Storage;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Simulation.Faults;

/// <summary>What kind of run a seed is: how large the cluster is, what goes wrong and how often. Drawn from the seed itself.</summary>
public sealed record FaultProfile
{
    public int Brokers { get; init; } = 3;

    /// <summary>How many of the brokers have a replica.</summary>
    public int ReplicationFactor => Math.Min(3, Brokers);

    public int Producers { get; init; } = 2;

    public int Consumers { get; init; } = 1;

    /// <summary>How long things go wrong, in milliseconds of simulated time.</summary>
    public int FaultsMs { get; init; } = 8_000;

    /// <summary>The mean time between two faults, in milliseconds; 0 for none.</summary>
    public int FaultEveryMs { get; init; } = 400;

    public double MessageLost { get; init; }

    public double MessageRepeated { get; init; }

    public long MessageDelayMaxUs { get; init; } = 500;

    public double RegisterFails { get; init; }

    public double RegisterLosesReply { get; init; }

    public double RegisterAppliesLate { get; init; }

    public double FlushFails { get; init; }

    public double WriteFails { get; init; }

    public long FlushMaxUs { get; init; } = 2_000;

    public double ClockDrift { get; init; }

    public long ReorderUs { get; init; } = 20;

    /// <summary>Relative weights of the faults, in the order of <see cref="FaultKind"/>.</summary>
    public int[] Weights { get; init; } = [4, 2, 3, 4, 2, 2, 3, 1, 1, 1, 3, 2, 2, 1, 1, 2];

    /// <summary>The longest that a call to the register takes each way, in microseconds.</summary>
    public long RegisterDelayMaxUs { get; init; } = 2_000;

    /// <summary>How often a read of a file returns fewer bytes than it could.</summary>
    public double ShortReads { get; init; }

    public long CatchUpBytesPerSecond { get; init; } = long.MaxValue;

    /// <summary>Whether consumers read from whichever replica, and not from the leader alone (KIP-392).</summary>
    public bool ReadsFollowers { get; init; }

    /// <summary>Whether producers number their records and send a batch again until it is acknowledged (KIP-98).</summary>
    public bool HasIdempotentProducers { get; init; }

    /// <summary>Whether the records have keys, and the topic is compacted.</summary>
    public bool IsCompacted { get; init; }

    /// <summary>Whether the brokers coordinate groups and transactions, and have the topics for it, besides the one that is watched.</summary>
    public bool HasCoordinators { get; init; }

    /// <summary>How the topic is kept in the remote store as well; null if it is not.</summary>
    public TieringOptions? Tiering { get; init; }

    public double StoreFails { get; init; }

    public double StoreLosesReply { get; init; }

    public double StoreAppliesLate { get; init; }

    /// <summary>The longest that a call to the remote store takes each way, in microseconds.</summary>
    public long StoreDelayMaxUs { get; init; } = 2_000;

    /// <summary>What the topic promises.</summary>
    public Promise Promise { get; init; }

    public ReplicationOptions Replication => QuickReplication with
    {
        CatchUpBytesPerSecond = CatchUpBytesPerSecond,
        IsFlushedBeforeAcknowledged = Promise != Promise.InMemory,
        IsStoredRemotely = Tiering is not null,
        UncleanLeaderElectionEnable = Promise == Promise.Availability,
    };

    private static readonly ReplicationOptions QuickReplication = new()
    {
        MinInSyncReplicas = 2,
        ReplicaLagTimeMaxMs = 1_000,
        AppendTimeoutMs = 300,
        RetryDelayMs = 50,
        AppendBytesMax = 2_000,
        CatchUpBytesMax = 8_000,
        CatchUpRecords = 40,
        AppendsInFlightMax = 4,
        ElectionStaggerMs = 150,
        RegisterRetryDelayMs = 20,
    };

    public LogOptions Log => SmallLog with
    {
        FlushMessages = Promise == Promise.InMemory ? long.MaxValue : 1,
        SegmentBytes = IsCompacted || Tiering is not null ? 1_000 : SmallLog.SegmentBytes,
        Compaction = IsCompacted ? new() { MinDirtyRatio = 0.1, DeleteRetentionMs = 300 } : null,
    };

    /// <summary>The logs of the topics that coordinators keep for themselves: compacted, as in production, and often.</summary>
    public LogOptions OwnLog => Log with { SegmentBytes = 2_000, Compaction = new() { MinDirtyRatio = 0.3 } };

    private static readonly LogOptions SmallLog = new() { SegmentMs = long.MaxValue, SegmentBytes = 6_000, IndexIntervalBytes = 500, CheckpointBytes = 3_000 };

    /// <summary>The profile of a seed whose topic is kept in the remote store as well, which goes wrong in its own ways.</summary>
    public static FaultProfile DrawTiered(ulong seed)
    {
        var random = new SimRandom(~seed);
        var profile = Draw(new(seed));
        return profile with
        {
            Tiering = new() { LocalRetentionBytes = random.Pick<long>([0, 2_000, 4_000]), GarbageDelayMs = random.Pick<long>([100, 2_000]) },
            StoreFails = random.Chance(0.5) ? random.Below(200) / 1000.0 : 0,
            StoreLosesReply = random.Chance(0.5) ? random.Below(200) / 1000.0 : 0,
            StoreAppliesLate = random.Chance(0.5) ? random.Below(200) / 1000.0 : 0,
            StoreDelayMaxUs = random.Pick<long>([2_000, 20_000, 200_000]),
            Weights = [.. profile.Weights, 1],
            ReadsFollowers = random.Chance(0.3),
        };
    }

    /// <summary>The profile of a seed with coordinators: enough goes right in it for groups and transactions to come about.</summary>
    public static FaultProfile DrawCoordinated(ulong seed)
    {
        var random = new SimRandom(~seed);
        var profile = Draw(new(seed));
        return profile with
        {
            HasCoordinators = true,
            FaultsMs = 20_000,
            FaultEveryMs = random.Pick([400, 1_000, 2_500]),
            // Who comes late would not know what is missing.
            Weights = [.. profile.Weights.Select((weight, fault) => fault == (int)FaultKind.DeleteRecords ? 0 : weight)],
        };
    }

    public double DrawClockRate(SimRandom random) => 1 + ClockDrift * (random.Below(2001) - 1000) / 1000;

    /// <summary>The profile of a seed: every fault kind, more or less of each.</summary>
    public static FaultProfile Draw(SimRandom random) => new()
    {
        Brokers = random.Chance(0.6) ? 3 : random.Chance(0.8) ? 5 : 2,
        Producers = 1 + random.Below(3),
        MessageLost = random.Chance(0.5) ? random.Below(150) / 1000.0 : 0,
        MessageRepeated = random.Chance(0.5) ? random.Below(200) / 1000.0 : 0,
        MessageDelayMaxUs = random.Pick<long>([300, 2_000, 20_000, 100_000]),
        RegisterFails = random.Chance(0.3) ? random.Below(200) / 1000.0 : 0,
        RegisterLosesReply = random.Chance(0.5) ? random.Below(200) / 1000.0 : 0,
        RegisterAppliesLate = random.Chance(0.5) ? random.Below(200) / 1000.0 : 0,
        FlushFails = random.Chance(0.2) ? 0.002 : 0,
        WriteFails = random.Chance(0.2) ? 0.005 : 0,
        FlushMaxUs = random.Pick<long>([500, 2_000, 20_000]),
        ClockDrift = random.Chance(0.5) ? 0.05 : 0,
        ReorderUs = random.Pick<long>([0, 10, 100]),
        FaultEveryMs = random.Pick([150, 400, 1_000]),
        Consumers = 1 + random.Below(3),
        RegisterDelayMaxUs = random.Pick<long>([2_000, 2_000, 50_000]),
        ShortReads = random.Chance(0.3) ? 0.1 : 0,
        CatchUpBytesPerSecond = random.Pick<long>([long.MaxValue, long.MaxValue, 20_000]),
    };
}

/// <summary>What a topic has chosen to keep in the worst case.</summary>
public enum Promise
{
    /// <summary>What was acknowledged stays while one member of the in-sync set has its disk.</summary>
    Durable,

    /// <summary>Nothing is flushed before it is acknowledged: it stays while one member of the in-sync set does not crash.</summary>
    InMemory,

    /// <summary>Unclean elections are allowed: an acknowledged record may be lost in one, and only there.</summary>
    Availability,
}

/// <summary>What the adversary does now and then.</summary>
public enum FaultKind
{
    Crash,
    Stop,
    Pause,
    CutOneWay,
    CutOff,
    Suspect,
    ForceLeader,
    CrashAll,
    Wipe,
    FlipBits,
    DeleteRecords,
    ClockJump,
    ForceLeaders,
    Misdirect,
    TruncateFile,
    Reassign,
    StoreAway,
}
