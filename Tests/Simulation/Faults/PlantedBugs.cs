using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Replication;
using OrleansLog.Replication.Following;
using OrleansLog.Replication.Leading;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Metadata;
using OrleansLog.Replication.Replicas;
using OrleansLog.Simulation.World;
using OrleansLog.Storage;

namespace OrleansLog.Simulation.Faults;

/// <summary>A follower cuts its log to the high watermark that it knows when it meets a new leader (KIP-101).</summary>
public sealed class TruncatesToHighWatermark : PlantedBug
{
    public override ReplicaPorts Plant(ReplicaPorts ports) => ports with { NewFollower = state => new Follower(state) };

    private sealed class Follower(ReplicaState state) : FollowerState(state.Epoch, state.UncleanEpoch, state.HighWatermark)
    {
        private LeaderEpoch _met = state.Epoch;

        public override FollowerDecision Decide(AppendRequest request, ILogOutline log)
        {
            var isNew = request.LeaderEpoch > _met;
            _met = request.LeaderEpoch;
            if (!isNew || HighWatermark >= log.LogEndOffset) return base.Decide(request, log);
            return new(AppendCode.Accepted, HighWatermark, request.Records.Length, log.LogStartOffset);
        }
    }
}

/// <summary>A follower takes appends of leaderships that are over.</summary>
public sealed class AcceptsLowerEpochs : PlantedBug
{
    public override ReplicaPorts Plant(ReplicaPorts ports) => ports with { NewFollower = state => new Follower(state) };

    private sealed class Follower(ReplicaState state) : FollowerState(state.Epoch, state.UncleanEpoch, state.HighWatermark)
    {
        public override bool IsFenced(LeaderEpoch epoch) => false;
    }
}

/// <summary>A follower takes everything that it has got for committed.</summary>
public sealed class KnowsTooMuch : PlantedBug
{
    public override ReplicaPorts Plant(ReplicaPorts ports) => ports with { NewFollower = state => new Follower(state) };

    private sealed class Follower(ReplicaState state) : FollowerState(state.Epoch, state.UncleanEpoch, state.HighWatermark)
    {
        public override FollowerDecision Decide(AppendRequest request, ILogOutline log)
        {
            var decision = base.Decide(request, log);
            if (decision.Code == AppendCode.Accepted) Led(decision.Matched, UncleanEpoch);
            return decision;
        }
    }
}

/// <summary>A broker takes every stop for a clean one and every disk for the same one.</summary>
public sealed class TrustsEarlierProgress : PlantedBug
{
    public override BrokerRecord RegisteredAs(BrokerRecord record) => record with { CleanSince = 1, DiskSince = 1 };
}

/// <summary>A leader takes for committed what it has itself.</summary>
public sealed class AcknowledgesTooEarly : PlantedBug
{
    public override ReplicaPorts Plant(ReplicaPorts ports) => ports with
    {
        NewLeader = static (self, current, log, highWatermark, options, isAlive, nowMs) =>
            new Leader(self, current, log, highWatermark, options, isAlive, nowMs),
    };

    private sealed class Leader(
        BrokerId self, VersionedPartition current, ILogOutline log, Offset highWatermark, ReplicationOptions options, Func<BrokerId, bool> isAlive, long nowMs)
        : LeaderState(self, current, log, highWatermark, options, isAlive, nowMs)
    {
        protected override Offset CommitTarget() => LocalDurable;
    }
}

/// <summary>A producer sends again what was not acknowledged, and no broker can know it again.</summary>
public sealed class SendsAgainWithoutNumbers : PlantedBug;

/// <summary>Whoever finds a damaged batch takes it for the end of the log.</summary>
public sealed class TakesDamageForTheEnd : PlantedBug
{
    public override void AfterCrash(SimBroker broker)
    {
        var isCut = false;
        foreach (var (path, file) in broker.Disk.FilesUnder("data/" + SimCluster.Partition).OrderBy(each => each.Path, StringComparer.Ordinal))
        {
            if (path.EndsWith("checkpoint", StringComparison.Ordinal)) broker.Disk.Delete(path);
            if (!path.EndsWith(".log", StringComparison.Ordinal)) continue;
            if (isCut) broker.Disk.Delete(path);
            var sound = SoundLength(file.Bytes);
            isCut |= sound < file.Length;
            if (sound < file.Length) file.Truncate(sound);
        }
    }

    private static int SoundLength(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (RecordBatchHeader.TryRead(bytes[at..], out var header) == ErrorCode.None
            && header.SizeInBytes <= bytes.Length - at
            && RecordBatch.CheckIntegrity(bytes.Slice(at, header.SizeInBytes)) == ErrorCode.None) at += header.SizeInBytes;
        return at;
    }
}

/// <summary>A replica compacts what is not committed: records that are gone for the sake of some that are cut off later.</summary>
public sealed class CompactsTooMuch : PlantedBug
{
    public override Offset CompactsBefore(PartitionReplica replica) => replica.Log.LogEndOffset;
}

/// <summary>A follower that was away for long goes on with what compaction has left of its leader's log.</summary>
public sealed class ForgetsTombstones : PlantedBug
{
    public override ReplicaPorts Plant(ReplicaPorts ports) => ports with { Channel = new Channel(ports.Channel) };

    private sealed class Channel(IReplicationChannel inner) : IReplicationChannel
    {
        public ValueTask<AppendReply> AppendAsync(BrokerId to, AppendRequest request, CancellationToken cancellationToken) =>
            inner.AppendAsync(to, request with { TombstonesGoneBefore = Offset.Zero }, cancellationToken);
    }
}
