using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Replicas;

/// <summary>Becoming the leader, and giving it up.</summary>
public sealed partial class PartitionReplica
{
    /// <summary>
    /// Tries to become the leader in the place of the leadership <paramref name="instead"/>. False when this replica must
    /// not lead, or another came first.
    /// </summary>
    /// <param name="instead">The record of the leadership that ends.</param>
    /// <param name="mayLose">Whether to lead even where committed records are lost with that, because somebody wants it so.</param>
    /// <exception cref="OperationCanceledException">The replica is being closed.</exception>
    /// <exception cref="IOException">The epoch could not be made durable here.</exception>
    public async Task<bool> TryLeadAsync(VersionedPartition instead, bool mayLose = false)
    {
        if (_isFailed || _isClosed) return false;
        var life = Incarnation;
        var claim = await StrongestClaimAsync(instead.Record, mayLose);
        if (claim == Election.Claim.None) return false;
        var before = instead.Record;
        if (Options.IsStoredRemotely && Election.MayLackRecords(claim))
        {
            if (await TakeStoredAsync() is not { } stored) return false;
            if (stored.LeaderEpoch > before.LeaderEpoch) before = before with { LeaderEpoch = stored.LeaderEpoch };
        }

        var elected = Election.Elect(before, _ports.Self, claim, _ports.Cluster.IsAlive, Options);
        var change = await _ports.Register.ChangeAsync(Id, elected, instead.Version, _closing.Token);
        if (change is not { IsAccepted: true, Current: { } current }) return false;
        if (Election.MayLackRecords(claim))
            _ports.Logger.LogWarning("{Partition}: broker {Broker} leads from {End} on; committed records from there on may be lost", Id, Broker, Log.LogEndOffset);
        return await LeadAsync(current, life);
    }

    private async Task<Election.Claim> StrongestClaimAsync(PartitionRecord record, bool mayLose)
    {
        var claim = Election.ClaimOf(record, _ports.Self, mayLose ? Options with { UncleanLeaderElectionEnable = true } : Options);
        if (claim <= Election.Claim.Eligible || claim == Election.Claim.None || mayLose) return claim;
        if (await Election.HasBetterAsync(record, Broker, _ports.Cluster, FindBrokerAsync)) return Election.Claim.None;
        if (claim == Election.Claim.Rebuilt) return await Election.IsLostAsync(record, _ports.Self, FindBrokerAsync) ? claim : Election.Claim.None;
        if (claim != Election.Claim.Survivor) return claim;
        if (await Election.IsLastSurvivorAsync(record, Broker, FindBrokerAsync)) return claim;
        return Options.UncleanLeaderElectionEnable ? Election.Claim.Unclean : Election.Claim.None;
    }

    private Task<BrokerRecord?> FindBrokerAsync(BrokerId id) => _ports.Register.ReadBrokerAsync(id, _closing.Token);

    /// <summary>Gives the leadership to whoever comes first of the others in sync; false when there is nobody.</summary>
    /// <exception cref="OperationCanceledException">The replica is being closed.</exception>
    public async Task<bool> ResignAsync()
    {
        if (Volatile.Read(ref _leadership) is not { } leadership) return true;
        var current = leadership.State.Current;
        if (!current.Record.InSync.Any(member => member.Broker != Broker && _ports.Cluster.IsAlive(member.Broker))) return false;
        StepDown(leadership);
        // The record may have changed without the leadership having heard of it yet.
        for (VersionedPartition? led = current; led is not null && led.Record.Leader == Broker && led.Record.LeaderEpoch == leadership.Epoch;)
        {
            var change = await _ports.Register.ChangeAsync(Id, led.Record with { Leader = BrokerId.None }, led.Version, _closing.Token);
            led = change.Current;
        }

        return true;
    }

    /// <summary>
    /// Deletes the records before an offset, here and, as they hear of it, at the followers. Only what is committed can go.
    /// </summary>
    public async ValueTask<ErrorCode> DeleteBeforeAsync(Offset offset)
    {
        if (Volatile.Read(ref _leadership) is not { } leadership) return ErrorCode.NotLeaderOrFollower;
        if (offset > leadership.State.HighWatermark) return ErrorCode.OffsetOutOfRange;
        try
        {
            await leadership.Log.DeleteBeforeAsync(offset);
        }
        catch (StorageException failed)
        {
            if (Log.Failure is not null) OnDiskFailed(failed);
            return ErrorCode.KafkaStorageError;
        }

        leadership.On(leadership.State.Tick);
        return ErrorCode.None;
    }

    private async Task<bool> LeadAsync(VersionedPartition current, ReplicaIncarnation life)
    {
        using var turn = await _turn.EnterAsync();
        if (_isClosed || _isFailed || life != Incarnation || !_follower.MustAdopt(current.Record.LeaderEpoch)) return false;
        if (_leadership is { } earlier) StepDown(earlier);
        await AdoptAsync(current.Record.LeaderEpoch);
        await TakeOverStoreAsync(current.Record);
        if (_isFailed) return false;
        var leadership = new Leadership(this, _log, current, _follower.HighWatermark, _ports);
        Volatile.Write(ref _leadership, leadership);
        _ports.Logger.LogInformation("{Partition}: broker {Broker} leads: {Record}", Id, Broker, current.Record);
        _ports.Observer.Led(this, current.Record.LeaderEpoch);
        leadership.Begin();
        return true;
    }
}
