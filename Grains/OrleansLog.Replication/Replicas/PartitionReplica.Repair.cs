using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Replicas;

/// <summary>
/// What happens when the disk failed or its bytes are not what was written: the replica leaves the in-sync set by its own
/// write to the register, which also defeats any write under way that would keep it there; only then does it open its log
/// anew, cut it before the damage, and let the leader bring it up again (invariant 9). When it was only a flush that failed
/// it still has what it promised, and stays eligible where nothing can be committed without it.
/// </summary>
public sealed partial class PartitionReplica
{
    // Set when the only replica left is damaged: it serves what it still has, until another one can take over.
    private bool _keepsDamage;

    // Where the log is to start from nothing.
    private Offset? _beginsAnewAt;

    internal void OnReadFailed(LogRead read)
    {
        if (read.Error is ErrorCode.CorruptMessage or ErrorCode.KafkaStorageError) FailIfOthersHelp(read.Failure);
    }

    /// <summary>
    /// Checks some of the log against its CRCs (<see cref="PartitionLog.Scrub"/>); a replica whose bytes have changed is
    /// repaired. One caller at a time.
    /// </summary>
    /// <returns>The bytes that were checked; 0 at the end of the log, and for a replica that is being repaired.</returns>
    public int Scrub(int bytesMax)
    {
        var log = Log;
        if (_isClosed || IsFailed || log.Failure is not null) return 0;
        try
        {
            var bytes = log.Scrub(bytesMax);
            if (log.FirstRefusedOffset is not null) FailIfOthersHelp(null);
            return bytes;
        }
        catch (IOException failed)
        {
            FailIfOthersHelp(failed);
            return 0;
        }
    }

    // A replica that is alone with its damage goes on with what it has.
    private void FailIfOthersHelp(Exception? reason)
    {
        if (!_keepsDamage || HasCompany) Fail(reason);
    }

    private bool HasCompany => Volatile.Read(ref _leadership)?.State.Current.Record.InSync.Length > 1;

    internal void OnDiskFailed(IOException reason) => Fail(reason);

    private void Fail(Exception? reason)
    {
        if (_isClosed || Interlocked.Exchange(ref _isFailed, true)) return;
        _ports.Logger.LogError(reason, "{Partition}: the disk of broker {Broker} failed or is damaged; the replica is repaired", Id, Broker);
        _ports.Observer.Failed(this, reason);
        _ = RepairAsync();
    }

    // As with a disk that failed: the in-sync set must not count on what is dropped.
    private void BeginAnew(Offset start)
    {
        _ports.Logger.LogWarning(
            "{Partition}: broker {Broker} was away for longer than tombstones are kept; it drops its log, up to {End}, and copies all of it from {Start} on", Id, Broker,
            _log.LogEndOffset, start);
        _beginsAnewAt = start;
        Fail(null);
    }

    private async Task RepairAsync()
    {
        try
        {
            if (Volatile.Read(ref _leadership) is { } leadership) StepDown(leadership);
            var isSound = Options.IsFlushedBeforeAcknowledged && _log.FirstRefusedOffset is null && _beginsAnewAt is null;
            var isAlone = await LeaveInSyncAsync(isSound);
            using (await _turn.EnterAsync())
                if (!_isClosed) await ReopenAsync(isAlone);
            Repaired?.Invoke();
        }
        catch (OperationCanceledException)
        {
            // Closed meanwhile: the next start opens the log anew in any case.
        }
    }

    // True when nobody else could take over: then what is left here is the best there is.
    private async Task<bool> LeaveInSyncAsync(bool isSound)
    {
        while (true)
        {
            var current = await _ports.Register.ReadAsync(Id, _closing.Token);
            if (current is null) return true;
            var left = current.Record.Distrusting(Broker);
            if (HasPromised(current.Record) && !await CanBeReplacedAsync(left)) return true;
            if (isSound) left = current.Record.WithInSync(left.InSync, Options.MinInSyncReplicas);
            if (left.Leader == Broker) left = left with { Leader = BrokerId.None };
            if ((await _ports.Register.ChangeAsync(Id, left, current.Version, _closing.Token)).IsAccepted) return false;
        }
    }

    // Somebody may be back who has what is damaged here.
    private async Task GiveWayAsync()
    {
        try
        {
            var current = await _ports.Register.ReadAsync(Id, _closing.Token);
            if (_keepsDamage && current is not null && await CanBeReplacedAsync(current.Record.Distrusting(Broker))) Fail(null);
        }
        catch (OperationCanceledException)
        {
            // Closed meanwhile.
        }
    }

    private bool HasPromised(PartitionRecord record) => record.IsInSync(Broker) || record.FindEligible(Broker) is not null;

    // Who left while nothing could be committed has everything too (KIP-966); but nobody has it whose disk is another one.
    private async Task<bool> CanBeReplacedAsync(PartitionRecord record)
    {
        var others = record.InSync.Concat(record.Eligible.Where(member => _ports.Cluster.IsAlive(member.Broker)));
        foreach (var member in others)
        {
            var trust = (await FindBrokerAsync(member.Broker))?.TrustIn(member);
            if (trust == ReplicaTrust.Kept || (trust == ReplicaTrust.Recovered && Options.IsFlushedBeforeAcknowledged)) return true;
        }

        return false;
    }

    private async Task ReopenAsync(bool isAlone)
    {
        while (true)
        {
            try
            {
                await ReopenOnceAsync(isAlone);
                return;
            }
            catch (IOException e)
            {
                _ports.Logger.LogError(e, "{Partition}: broker {Broker} cannot open its log anew yet", Id, Broker);
                await Task.Delay(TimeSpan.FromMilliseconds(Options.RetryDelayMs), _ports.Time, _closing.Token);
            }
        }
    }

    private async Task ReopenOnceAsync(bool isAlone)
    {
        var damage = _log.FirstRefusedOffset;
        if (_log.Failure is not null || damage is null) await OpenLogAgainAsync();
        damage = Earlier(damage, _log.FirstRefusedOffset);
        if (damage is not null && !isAlone) isAlone = await LeaveInSyncAsync(isSound: false);
        _keepsDamage = isAlone && damage is not null;
        if (damage is { } from && !isAlone) await _log.TruncateToAsync(from);
        if (_beginsAnewAt is { } start && !isAlone)
        {
            await _log.ResetToAsync(start);
            _ports.Observer.Restarted(this, start);
        }

        _beginsAnewAt = null;
        _reopened++;
        var end = _log.LogEndOffset;
        _follower = _ports.NewFollower(new(_follower.Epoch, _follower.UncleanEpoch, Offset.Min(_follower.HighWatermark, end)));
        _ports.Observer.Truncated(this, end);
        Volatile.Write(ref _isFailed, false);
    }

    private async Task OpenLogAgainAsync()
    {
        var failed = _log;
        try
        {
            await failed.DisposeAsync();
        }
        catch (IOException)
        {
            // It had failed; its files are closed all the same.
        }

        Volatile.Write(ref _log, await PartitionLog.OpenAsync(_ports.Files, _directory, _logOptions, _ports.Time, _ports.Logger, _ports.RecoveryBudget));
    }

    private static Offset? Earlier(Offset? one, Offset? other) =>
        one is { } a && other is { } b ? Offset.Min(a, b) : one ?? other;
}
