using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Replication.Replicas;

/// <summary>
/// Leading without having everything, where a remote store has more (KIP-405). What is in the store was committed, so such a
/// leader begins where the store ends: its own log is dropped if that ends earlier or has other records there. It must not lead
/// before it knows.
/// </summary>
public sealed partial class PartitionReplica
{
    /// <summary>Sees to it that this log does not end before what the store has. Null when that cannot be found out.</summary>
    private async Task<RemoteManifest?> TakeStoredAsync()
    {
        try
        {
            var stored = await (_ports.Stored ?? throw new IOException("this broker was started without the remote store"))
                .FindAsync(TopicId, Id, _closing.Token);
            using var turn = await _turn.EnterAsync();
            if (_isClosed || _isFailed || _leadership is not null) return null;
            await GoOnAfterAsync(stored);
            return stored;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            _ports.Logger.LogError(
                "{Partition}: broker {Broker} may lack committed records and cannot find out what the remote store has of them, so it does not lead: {Reason}",
                Id, Broker, e.Message);
            return null;
        }
    }

    // An earlier leader, which nobody could tell that it was one, may have stored more meanwhile. In turn.
    private async Task TakeOverStoreAsync(PartitionRecord elected)
    {
        if (!Options.IsStoredRemotely || elected.UncleanEpoch != elected.LeaderEpoch || _ports.Stored is null) return;
        try
        {
            await GoOnAfterAsync(await _ports.Stored.TakeOverAsync(TopicId, Id, elected.LeaderEpoch, _closing.Token));
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            _ports.Logger.LogWarning("{Partition}: broker {Broker} could not yet make itself known to the remote store: {Reason}", Id, Broker, e.Message);
        }
    }

    private async Task GoOnAfterAsync(RemoteManifest stored)
    {
        if (HasAll(stored)) return;
        _ports.Logger.LogWarning(
            "{Partition}: broker {Broker} has offsets {From} to {End} on its disk, and the remote store all up to {Stored}: it goes on from there",
            Id, Broker, _log.LogStartOffset, _log.LogEndOffset, stored.NextOffset);
        await _log.ResetToAsync(stored.NextOffset);
        _follower = _ports.NewFollower(new(_follower.Epoch, _follower.UncleanEpoch, stored.NextOffset));
        _ports.Observer.Restarted(this, stored.NextOffset);
    }

    private bool HasAll(RemoteManifest stored)
    {
        if (_log.LogEndOffset < stored.NextOffset) return false;
        var last = stored.End - 1L;
        return stored.Segments is not [.., { Epochs: [.., var latest] }] || last < _log.LogStartOffset || _log.EpochAt(last) == latest.Epoch;
    }
}
