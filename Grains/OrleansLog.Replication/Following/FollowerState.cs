using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Replication.Messages;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Following;

/// <summary>
/// How a replica answers its leader. Decisions only: the driver persists, cuts and appends what is decided here, one
/// turn at a time. Logs are matched as in Raft (section 5.3) and never cut by the high watermark, which a follower
/// knows too late for that (KIP-101).
/// </summary>
/// <param name="epoch">The highest leader epoch that this replica has seen, as persisted.</param>
/// <param name="uncleanEpoch">The last unclean leadership it knows of.</param>
/// <param name="highWatermark">Everything below is known to be committed.</param>
public class FollowerState(LeaderEpoch epoch, LeaderEpoch uncleanEpoch, Offset highWatermark)
{
    /// <summary>The highest epoch seen. Made durable before anybody is told.</summary>
    public LeaderEpoch Epoch { get; private set; } = epoch;

    /// <summary>The last leadership, as far as known, that was given without regard for committed records.</summary>
    public LeaderEpoch UncleanEpoch { get; private set; } = uncleanEpoch;

    /// <summary>Everything below is committed. Moves back only when an unclean election took records away.</summary>
    public Offset HighWatermark { get; private set; } = highWatermark;

    /// <summary>Whether a request comes from a leadership that is over.</summary>
    public virtual bool IsFenced(LeaderEpoch epoch) => epoch < Epoch;

    /// <summary>Whether an epoch has to be persisted, and <see cref="Adopt"/>ed, before the request is answered.</summary>
    public bool MustAdopt(LeaderEpoch epoch) => epoch > Epoch;

    /// <summary>The epoch is durable here.</summary>
    public void Adopt(LeaderEpoch epoch) => Epoch = epoch > Epoch ? epoch : Epoch;

    /// <summary>What to do about an append of the present epoch.</summary>
    /// <exception cref="DivergedReplicaException">The leader's log lacks what is known to be committed.</exception>
    public virtual FollowerDecision Decide(AppendRequest request, ILogOutline log)
    {
        if (!HasPossibleEpochs(request)) return new(AppendCode.Damaged);
        if (MustRestart(request, log)) return new(AppendCode.Accepted, null, 0, EndOf(request), RestartAt: request.From);
        if (!Agrees(request, log)) return new(AppendCode.Mismatch, Hint: HintFor(request, log));
        var skip = 0;
        var matched = request.From;
        foreach (var batch in new RecordBatchEnumerator(request.Records.Span))
        {
            if (batch.Header.BaseOffset >= log.LogEndOffset) break;
            if (IsHeld(batch.Header, log) || IsDeleted(batch.Header, request, log))
            {
                skip = batch.Position + batch.Header.SizeInBytes;
                matched = batch.Header.NextOffset;
                continue;
            }

            if (IsHeldToEnd(batch.Header, log)) break;
            if (batch.Header.NextOffset <= log.LogStartOffset) return new(AppendCode.Mismatch, Hint: new(LeaderEpoch.None, log.LogStartOffset));
            CheckUncommitted(request, Offset.Max(batch.Header.BaseOffset, log.LogStartOffset));
            // This log starts amid a batch in the place of which it has another: nothing of it can stay.
            return batch.Header.BaseOffset < log.LogStartOffset
                ? new(AppendCode.Accepted, null, skip, EndOf(request), RestartAt: batch.Header.BaseOffset)
                : new(AppendCode.Accepted, batch.Header.BaseOffset, skip, EndOf(request));
        }

        var end = skip == request.Records.Length ? matched : EndOf(request);
        return new(AppendCode.Accepted, HasMoreThanLeader(request, log, end) ? end : null, skip, end);
    }

    /// <summary>The log now agrees with the leader's up to <paramref name="matched"/>.</summary>
    public void Applied(AppendRequest request, Offset matched)
    {
        if (request.UncleanEpoch > UncleanEpoch)
        {
            UncleanEpoch = request.UncleanEpoch;
            HighWatermark = Offset.Min(HighWatermark, Offset.Min(request.HighWatermark, matched));
        }

        HighWatermark = Offset.Max(HighWatermark, Offset.Min(request.HighWatermark, matched));
    }

    /// <summary>What this replica learned as a leader.</summary>
    public void Led(Offset highWatermark, LeaderEpoch uncleanEpoch)
    {
        HighWatermark = Offset.Max(HighWatermark, highWatermark);
        UncleanEpoch = uncleanEpoch > UncleanEpoch ? uncleanEpoch : UncleanEpoch;
    }

    // From record to record the leader epochs of a log only grow, up to the leader's own. No checksum covers them.
    private static bool HasPossibleEpochs(AppendRequest request)
    {
        var previous = request.PreviousEpoch;
        foreach (var batch in new RecordBatchEnumerator(request.Records.Span))
        {
            var epoch = batch.Header.PartitionLeaderEpoch;
            if (epoch < previous || epoch > request.LeaderEpoch) return false;
            previous = epoch;
        }

        return previous <= request.LeaderEpoch;
    }

    // At the leader's log start there is nothing before to compare with. Whether the logs agree from there on, the first
    // batch tells; a log that does not reach beyond, or has other records there, is of no use: all before is deleted. Nor is
    // one that has any records of an earlier leadership there while the leader's has none.
    private bool MustRestart(AppendRequest request, ILogOutline log)
    {
        if (request.From > request.LogStartOffset && !DividesFirst(request, log)) return false;
        if (log.LogEndOffset <= request.From) return log.LogStartOffset != request.From || log.LogEndOffset != request.From;
        if (request.LogEndOffset == request.From && log.LogStartOffset <= request.From && log.LatestEpoch < request.LeaderEpoch) return IsUncommitted(request, request.From);
        if (log.LogStartOffset > request.From && request.UncleanEpoch > UncleanEpoch) return true;
        if (RecordBatchHeader.TryRead(request.Records.Span, out var first) != ErrorCode.None || first.NextOffset <= log.LogStartOffset) return false;
        if (IsHeld(first, log) || IsHeldToEnd(first, log)) return false;
        return IsUncommitted(request, Offset.Max(log.LogStartOffset, Offset.Max(request.From, request.LogStartOffset)));
    }

    // Whether this log starts amid the first batch.
    private static bool DividesFirst(AppendRequest request, ILogOutline log) =>
        request.From < log.LogStartOffset
        && RecordBatchHeader.TryRead(request.Records.Span, out var first) == ErrorCode.None
        && first.NextOffset > log.LogStartOffset;

    private static bool Agrees(AppendRequest request, ILogOutline log) =>
        request.From <= request.LogStartOffset
        || request.From == log.LogStartOffset
        || DividesFirst(request, log)
        || (request.From <= log.LogEndOffset && log.EpochAt(request.From - 1) == request.PreviousEpoch);

    private EpochEndOffset HintFor(AppendRequest request, ILogOutline log)
    {
        // What lies before this log's start was not deleted as the leader, elected uncleanly, sees it: it has to start anew.
        if (request.UncleanEpoch > UncleanEpoch && log.LogStartOffset > request.From) return new(LeaderEpoch.None, request.LogStartOffset);
        var asked = request.PreviousEpoch < log.LatestEpoch ? request.PreviousEpoch : log.LatestEpoch;
        var end = log.EndOffsetFor(asked);
        return end == EpochEndOffset.Unknown ? new(LeaderEpoch.None, log.LogStartOffset) : end;
    }

    // What an earlier leader wrote behind all that the present one has goes at once, lest an idle partition keep it: nothing of
    // the present leader's own can lie behind it. (A log that starts further on has heard more of the leader than this says.)
    private bool HasMoreThanLeader(AppendRequest request, ILogOutline log, Offset end) =>
        end == request.LogEndOffset && log.LogStartOffset <= end && end < log.LogEndOffset && log.LatestEpoch < request.LeaderEpoch && IsUncommitted(request, end);

    // A batch that compaction has emptied may stand for more than this log has of it, under the same leadership.
    private static bool IsHeldToEnd(in RecordBatchHeader batch, ILogOutline log) =>
        batch.RecordCount == 0
        && batch.BaseOffset < log.LogEndOffset
        && batch.NextOffset > log.LogEndOffset
        && log.LogEndOffset > log.LogStartOffset
        && log.EpochAt(Offset.Max(batch.BaseOffset, log.LogStartOffset)) == batch.PartitionLeaderEpoch
        && log.LatestEpoch == batch.PartitionLeaderEpoch;

    // Where offset and epoch agree, all before agrees too. Batches have the same bounds, but for those that compaction has emptied,
    // on the one side or the other: they stand for whole ones of one leadership.
    private static bool IsHeld(in RecordBatchHeader batch, ILogOutline log) =>
        batch.NextOffset <= log.LogEndOffset
        && batch.NextOffset > log.LogStartOffset
        && log.EpochAt(Offset.Max(batch.BaseOffset, log.LogStartOffset)) == batch.PartitionLeaderEpoch;

    // This replica has deleted what an earlier leader had deleted, and the present one does not know of it yet.
    private static bool IsDeleted(in RecordBatchHeader batch, AppendRequest request, ILogOutline log) =>
        batch.NextOffset <= log.LogStartOffset && batch.NextOffset <= request.HighWatermark;

    private bool IsUncommitted(AppendRequest request, Offset truncateTo)
    {
        CheckUncommitted(request, truncateTo);
        return true;
    }

    private void CheckUncommitted(AppendRequest request, Offset truncateTo)
    {
        if (truncateTo < HighWatermark && request.UncleanEpoch <= UncleanEpoch)
            throw new DivergedReplicaException(
                $"{request.Partition}: the leader of epoch {request.LeaderEpoch} (broker {request.Leader}) has other records at offset {truncateTo}, "
                + $"below the high watermark {HighWatermark} of this replica. Nothing was changed; compare the two logs before either is used.");
    }

    private static Offset EndOf(AppendRequest request)
    {
        var end = request.From;
        foreach (var batch in new RecordBatchEnumerator(request.Records.Span)) end = batch.Header.NextOffset;
        return end;
    }
}
