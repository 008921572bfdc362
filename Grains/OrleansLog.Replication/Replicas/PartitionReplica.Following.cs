using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Replication.Following;
using OrleansLog.Replication.Messages;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Replicas;

/// <summary>Following: what a leader pushes.</summary>
public sealed partial class PartitionReplica
{
    /// <summary>
    /// Handles a leader's append and answers when its records are durable. The request's bytes are read until then.
    /// </summary>
    public async ValueTask<AppendReply> HandleAppendAsync(AppendRequest request)
    {
        var reply = await AnswerAsync(request);
        _ports.Observer.Answered(this, request, reply);
        return reply;
    }

    private async ValueTask<AppendReply> AnswerAsync(AppendRequest request)
    {
        try
        {
            FollowerDecision decision;
            ReplicaIncarnation life;
            ValueTask settled;
            using (await _turn.EnterAsync())
            {
                if (_isClosed || _isFailed) return Reply(AppendCode.Failed);
                if (request.TopicId != TopicId) return Reply(AppendCode.Unknown) with { LeaderEpoch = LeaderEpoch.None };
                life = Incarnation;
                decision = await FollowAsync(request);
                if (decision.Code != AppendCode.Accepted) return Reply(decision.Code) with { Hint = decision.Hint };
                settled = _log.SettleAsync(decision.Matched);
            }

            await settled;
            // Meanwhile a later leader may have cut the log, or the disk may have failed and been repaired.
            if (_follower.IsFenced(request.LeaderEpoch)) return Reply(AppendCode.Fenced);
            return life == Incarnation && !_isFailed ? Reply(AppendCode.Accepted) with { Matched = decision.Matched } : Reply(AppendCode.Failed);
        }
        catch (IOException failed)
        {
            if (Log.Failure is not null) OnDiskFailed(failed);
            return Reply(AppendCode.Failed);
        }
        catch (DivergedReplicaException diverged)
        {
            // What is damaged here agrees with nothing; that can be repaired.
            if (IsDamaged())
            {
                Fail(diverged);
                return Reply(AppendCode.Failed);
            }

            _ports.Logger.LogCritical(diverged, "{Partition} on broker {Broker} is not replicated any more", Id, Broker);
            _ports.Observer.Diverged(this, diverged);
            return Reply(AppendCode.Failed);
        }
    }

    private bool IsDamaged()
    {
        try
        {
            return Log.CheckAll() is not null;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private async ValueTask<FollowerDecision> FollowAsync(AppendRequest request)
    {
        if (_follower.IsFenced(request.LeaderEpoch)) return new(AppendCode.Fenced);
        if (!IsIntact(request.Records.Span)) return new(AppendCode.Damaged);
        if (_leadership is { } mine)
        {
            // There is one leader an epoch: this broker cannot follow another one in its own.
            if (mine.Epoch >= request.LeaderEpoch) return new(AppendCode.Fenced);
            StepDown(mine);
        }

        await AdoptAsync(request.LeaderEpoch);
        var decision = _follower.Decide(request, _log);
        if (decision.Code == AppendCode.Accepted && LacksTombstones(request, decision))
        {
            BeginAnew(request.LogStartOffset);
            return new(AppendCode.Failed);
        }

        if (decision.Code != AppendCode.Accepted || await ApplyAsync(request, decision)) return decision;
        // The cut would go further than asked: what is before it is damaged, and not only what was to go.
        Fail(null);
        return new(AppendCode.Failed);
    }

    // What is here would come back to life where the leader's compaction has removed what deleted it.
    private bool LacksTombstones(AppendRequest request, FollowerDecision decision)
    {
        if (request.TombstonesGoneBefore <= _log.TombstonesGoneBefore || decision.RestartAt is not null || decision.Skip == request.Records.Length) return false;
        var end = Offset.Min(_log.LogEndOffset, decision.TruncateTo ?? _log.LogEndOffset);
        return end > _log.LogStartOffset && end < request.TombstonesGoneBefore;
    }

    private async ValueTask AdoptAsync(LeaderEpoch epoch)
    {
        if (!_follower.MustAdopt(epoch)) return;
        await _stateFile.WriteAsync(StateOf(epoch));
        _follower.Adopt(epoch);
    }

    private async ValueTask<bool> ApplyAsync(AppendRequest request, FollowerDecision decision)
    {
        if (decision.TruncateTo is { } end)
        {
            // Whoever may be in sync leaves before it cuts what it has promised to hold.
            if (_log.EndIfCutAt(end) < end && _log.FirstRefusedOffset is not null) return false;
            _ports.Logger.LogInformation("{Partition}: broker {Broker} cuts its log from {End} to {To}", Id, Broker, _log.LogEndOffset, end);
            await _log.TruncateToAsync(end);
            _ports.Observer.Truncated(this, _log.LogEndOffset);
            if (_log.LogEndOffset < end) return false;
        }

        if (decision.RestartAt is { } start) await RestartAsync(start);
        if (decision.Skip < request.Records.Length)
        {
            var from = _log.LogEndOffset;
            if (from < request.TombstonesGoneBefore && request.TombstonesGoneBefore > _log.TombstonesGoneBefore)
                await _log.NoteTombstonesGoneAsync(request.TombstonesGoneBefore);
            _log.AppendAsFollower(request.Records.Span[decision.Skip..]);
            _ports.Observer.Appended(this, from, _log.LogEndOffset);
        }

        var (known, branch) = (_follower.HighWatermark, _follower.UncleanEpoch);
        _follower.Applied(request, decision.Matched);
        // A restart must not bring back the high watermark of before the unclean election.
        if (_follower.UncleanEpoch != branch) await _stateFile.WriteAsync(StateOf(_follower.Epoch));
        if (_follower.HighWatermark != known) OnCommitted(_follower.HighWatermark);
        var startsAt = Offset.Min(request.LogStartOffset, _follower.HighWatermark);
        if (startsAt <= _log.LogStartOffset) return true;
        // What lies before the leader's start is compared with nothing any more: it must not be served from here either.
        if (request.From <= request.LogStartOffset) await _log.DeleteBeforeAsync(startsAt);
        else _ = AdvanceStartAsync(_log, startsAt);
        return true;
    }

    private async ValueTask RestartAsync(Offset start)
    {
        _ports.Logger.LogInformation(
            "{Partition}: broker {Broker} drops its log, from {From} to {End}, and starts anew at {Start}", Id, Broker, _log.LogStartOffset, _log.LogEndOffset, start);
        await _log.ResetToAsync(start);
        _ports.Observer.Restarted(this, start);
    }

    // Appends go on meanwhile; the next one tries again what fails here.
    private async Task AdvanceStartAsync(PartitionLog log, Offset start)
    {
        try
        {
            await log.DeleteBeforeAsync(start);
        }
        catch (IOException failed)
        {
            _ports.Logger.LogWarning(failed, "{Partition}: broker {Broker} could not delete records before {Start}", Id, Broker, start);
            if (log.Failure is not null && ReferenceEquals(log, Log)) OnDiskFailed(failed);
        }
    }

    private static bool IsIntact(ReadOnlySpan<byte> records)
    {
        while (!records.IsEmpty)
        {
            if (RecordBatchHeader.TryRead(records, out var header) != ErrorCode.None || header.SizeInBytes > records.Length) return false;
            if (RecordBatch.CheckIntegrity(records[..header.SizeInBytes]) != ErrorCode.None) return false;
            records = records[header.SizeInBytes..];
        }

        return true;
    }

    private AppendReply Reply(AppendCode code) => new()
    {
        Code = code,
        LeaderEpoch = _follower.Epoch,
        Incarnation = Incarnation,
        CleanSince = _ports.Self.CleanSince,
    };
}
