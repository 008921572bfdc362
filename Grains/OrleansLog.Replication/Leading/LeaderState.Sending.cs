using OrleansLog.Protocol;
using OrleansLog.Replication.Messages;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Leading;

/// <summary>What to send to whom, and what the answers say about a follower's log.</summary>
public partial class LeaderState
{
    /// <summary>The next append to a follower, or null when there is nothing to send now.</summary>
    public AppendPlan? NextSend(FollowerProgress follower, long nowMs)
    {
        if (!follower.IsAlive || nowMs < follower.RetryAtMs) return null;
        if (follower.Next < _log.LogStartOffset && !follower.IsProbing) follower.Rewind(_log.LogStartOffset);
        if (follower.IsProbing) return follower.AppendsInFlight == 0 ? Plan(follower, bytesMax: 0) : null;
        if (follower.Next < _log.LogEndOffset) return HasRoom(follower) ? Plan(follower, BytesFor(follower)) : null;
        return HasNews(follower) && follower.AppendsInFlight == 0 && nowMs >= IdleSendAtMs(follower) ? Plan(follower, bytesMax: 0) : null;
    }

    /// <summary>When <see cref="Tick"/> and <see cref="NextSend"/> should be asked again; null if only events matter.</summary>
    public long? NextDeadlineMs(long nowMs)
    {
        long? next = null;
        foreach (var follower in _followers)
            if (DeadlineOf(follower, nowMs) is { } deadline && !(deadline >= next)) next = deadline;
        return next;
    }

    private long? DeadlineOf(FollowerProgress follower, long nowMs)
    {
        if (!follower.IsAlive) return null;
        if (nowMs < follower.RetryAtMs) return follower.RetryAtMs;
        if (follower.Matched < _log.LogEndOffset)
            return _proposal is null && Current.Record.IsInSync(follower.Broker) ? follower.CaughtUpMs + Options.ReplicaLagTimeMaxMs + 1 : null;
        return HasNews(follower) ? IdleSendAtMs(follower) : null;
    }

    private bool HasNews(FollowerProgress follower) =>
        HighWatermark > follower.SentHighWatermark || _log.LogStartOffset > follower.SentLogStart;

    private long IdleSendAtMs(FollowerProgress follower) => follower.CaughtUpMs + Options.IdleHighWatermarkDelayMs;

    private bool HasRoom(FollowerProgress follower) =>
        follower.AppendsInFlight < Options.AppendsInFlightMax && follower.BytesInFlight < Options.BytesInFlightMax;

    private bool IsFarBehind(FollowerProgress follower) => _log.LogEndOffset - follower.Next > Options.CatchUpRecords;

    private int BytesFor(FollowerProgress follower) =>
        IsFarBehind(follower) ? Options.CatchUpBytesMax : Options.AppendBytesMax;

    private AppendPlan Plan(FollowerProgress follower, int bytesMax)
    {
        var start = _log.LogStartOffset;
        var next = Offset.Max(follower.Next, start);
        var previous = next > start ? _log.EpochAt(next - 1) : LeaderEpoch.None;
        return new(++follower.Sequence, next, previous, start, _log.LogEndOffset, bytesMax, HighWatermark, IsFarBehind(follower));
    }

    private void Lose(FollowerProgress follower, in AppendPlan plan, long nowMs)
    {
        if (plan.Sequence <= follower.RewoundAt) return;
        follower.Restart(nowMs + Options.RetryDelayMs);
    }

    private void Take(FollowerProgress follower, in AppendPlan plan, AppendReply reply, long nowMs)
    {
        if (plan.Sequence <= follower.DistrustedAt) return;
        follower.HasFailed = reply.Code is AppendCode.Failed or AppendCode.Unknown;
        if (reply.Code == AppendCode.Accepted) Accept(follower, plan, reply, nowMs);
        else if (reply.Code != AppendCode.Mismatch || StartsBeyond(reply.Hint)) Lose(follower, plan, nowMs);
        else if (plan.Sequence > follower.RewoundAt) follower.Rewind(NextGuess(plan, reply.Hint));
    }

    // It has deleted more than there is here: nothing to hurry for.
    private bool StartsBeyond(EpochEndOffset hint) => hint.Epoch == LeaderEpoch.None && hint.EndOffset > _log.LogEndOffset;

    private void Accept(FollowerProgress follower, in AppendPlan plan, AppendReply reply, long nowMs)
    {
        follower.Matched = Offset.Max(follower.Matched, reply.Matched);
        if (follower.IsProbing && plan.Sequence > follower.RewoundAt)
        {
            follower.IsProbing = false;
            follower.Next = reply.Matched;
        }

        follower.Next = Offset.Max(follower.Next, follower.Matched);
        NoteCaughtUp(follower, nowMs);
    }

    // Caught up as of the last moment at which it held all that there was then, as Kafka counts it.
    private void NoteCaughtUp(FollowerProgress follower, long nowMs)
    {
        if (follower.Matched >= _log.LogEndOffset) follower.CaughtUpMs = nowMs;
        else if (follower.Matched >= follower.CheckpointEnd) follower.CaughtUpMs = Math.Max(follower.CaughtUpMs, follower.CheckpointMs);
        if (follower.Matched < follower.CheckpointEnd) return;
        follower.CheckpointMs = nowMs;
        follower.CheckpointEnd = _log.LogEndOffset;
    }

    // Where both logs may agree: not past the end that either has for the follower's epoch (KIP-279). A hint without an
    // epoch says where the follower's log starts.
    private Offset NextGuess(in AppendPlan plan, EpochEndOffset hint)
    {
        if (hint.Epoch == LeaderEpoch.None && hint.EndOffset > _log.LogStartOffset && hint.EndOffset != plan.From) return Offset.Min(hint.EndOffset, _log.LogEndOffset);
        var mine = _log.EndOffsetFor(hint.Epoch);
        var guess = mine == EpochEndOffset.Unknown ? _log.LogStartOffset
            : mine.Epoch == hint.Epoch ? Offset.Min(mine.EndOffset, hint.EndOffset)
            : mine.EndOffset;
        return guess < plan.From ? Offset.Max(guess, _log.LogStartOffset) : _log.LogStartOffset;
    }
}
