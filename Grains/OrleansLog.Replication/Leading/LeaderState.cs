using System.Collections.Immutable;
using OrleansLog.Protocol;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Leading;

/// <summary>
/// One leadership of one partition: who holds how much, what is committed, who is in sync. Decisions only; the driver
/// carries out the <see cref="LeaderEffects"/>, one turn at a time. The primary of PacificA (Lin, Yang, Zhang and Zhou,
/// "PacificA: Replication in Log-Based Distributed Storage Systems"), with Kafka's in-sync set and rules for changing it
/// (KIP-497, KIP-966).
/// </summary>
public partial class LeaderState
{
    private readonly ILogOutline _log;
    private readonly BrokerId _self;
    private readonly Func<BrokerId, bool> _isAlive;
    private ImmutableArray<FollowerProgress> _followers = [];
    private PartitionRecord? _proposal;
    private int _reloadsUnderWay;
    private Offset _localDurable;

    /// <param name="self">The broker that leads.</param>
    /// <param name="current">The record that made it the leader.</param>
    /// <param name="log">Its log, which only grows while it leads.</param>
    /// <param name="highWatermark">What it knows to be committed.</param>
    /// <param name="options">How the partition is replicated. May be replaced: <see cref="Options"/>.</param>
    /// <param name="isAlive">What the engine believes of a broker.</param>
    /// <param name="nowMs">A clock that never goes back; only differences count.</param>
    public LeaderState(
        BrokerId self,
        VersionedPartition current,
        ILogOutline log,
        Offset highWatermark,
        ReplicationOptions options,
        Func<BrokerId, bool> isAlive,
        long nowMs)
    {
        _self = self;
        _log = log;
        _isAlive = isAlive;
        Current = current;
        Options = options;
        HighWatermark = highWatermark;
        StartOffset = log.LogEndOffset;
        TakeFollowers(nowMs);
    }

    public ReplicationOptions Options { get; set; }

    /// <summary>The record as last read or written by this leader.</summary>
    public VersionedPartition Current { get; private set; }

    public LeaderEpoch Epoch => Current.Record.LeaderEpoch;

    /// <summary>
    /// Where the log ended when this leadership began. Whoever is in sync holds everything below; what of it was
    /// committed already, the leader may not know yet.
    /// </summary>
    public Offset StartOffset { get; }

    /// <summary>Everything below is committed. Never moves back.</summary>
    public Offset HighWatermark { get; private set; }

    /// <summary>Whether <see cref="HighWatermark"/> is at least as far as any leader before has told anybody.</summary>
    public bool KnowsHighWatermark => HighWatermark >= StartOffset;

    public ImmutableArray<FollowerProgress> Followers => _followers;

    /// <summary>Whether the in-sync set is large enough to commit anything.</summary>
    public bool HasEnoughReplicas =>
        Math.Min(Current.Record.InSync.Length, _proposal?.InSync.Length ?? int.MaxValue) >= Options.MinInSyncReplicas;

    /// <summary>This broker appended; the log ended at <paramref name="previousEnd"/> before.</summary>
    public void Appended(Offset previousEnd, long nowMs)
    {
        foreach (var follower in _followers)
            if (follower.Matched >= previousEnd) follower.CaughtUpMs = nowMs;
    }

    /// <summary>The leader's own log is durable, under the topic's policy, up to an offset.</summary>
    public LeaderEffects LocallyDurable(Offset upTo, long nowMs)
    {
        _localDurable = Offset.Max(_localDurable, upTo);
        return Conclude(nowMs);
    }

    /// <summary>A follower answered, or did not (null).</summary>
    /// <param name="follower">Who was asked.</param>
    /// <param name="plan">What was sent.</param>
    /// <param name="bytes">How many bytes of records it had.</param>
    /// <param name="reply">The answer.</param>
    /// <param name="nowMs">The time.</param>
    public LeaderEffects Replied(FollowerProgress follower, in AppendPlan plan, int bytes, AppendReply? reply, long nowMs)
    {
        follower.AppendsInFlight--;
        follower.BytesInFlight -= bytes;
        if (reply is null)
        {
            Lose(follower, plan, nowMs);
            return Conclude(nowMs);
        }

        if (reply.LeaderEpoch > Epoch) return new(MustStepDown: true);
        if (reply.Incarnation < follower.Incarnation) return Conclude(nowMs);
        var mayHaveLeft = MayHaveLeft(follower, reply.Incarnation);
        if (mayHaveLeft) _reloadsUnderWay++;
        if (follower.Incarnation != reply.Incarnation) follower.MeetAnew(reply);
        Take(follower, plan, reply, nowMs);
        return Conclude(nowMs) with { MustReload = mayHaveLeft };
    }

    // A replica whose disk failed leaves the in-sync set by itself, and only the record tells: since it was last heard of, or,
    // by somebody not heard of in this leadership, since it became a member.
    private bool MayHaveLeft(FollowerProgress follower, ReplicaIncarnation now) =>
        follower.Incarnation is { } known ? now > known
        : now.Reopened > 0 || now.BrokerEpoch > Current.Record.FindInSync(follower.Broker)?.BrokerEpoch;

    /// <summary>What was to be sent to a follower could not be read.</summary>
    public LeaderEffects Unread(FollowerProgress follower, long nowMs)
    {
        follower.Restart(nowMs + Options.RetryDelayMs);
        return Conclude(nowMs);
    }

    /// <summary>Time has passed: at <see cref="NextDeadlineMs"/>, or at any time.</summary>
    public LeaderEffects Tick(long nowMs) => Conclude(nowMs);

    /// <summary>The engine thinks otherwise about a broker than before.</summary>
    /// <param name="epochOf">The epoch in which it last heard of each broker.</param>
    /// <param name="nowMs">The time.</param>
    public LeaderEffects BrokersChanged(Func<BrokerId, long> epochOf, long nowMs)
    {
        foreach (var follower in _followers)
        {
            var isAlive = _isAlive(follower.Broker);
            // One that was back before anybody missed it may have less than it had: while nothing is appended, nothing else tells.
            var hasRestarted = epochOf(follower.Broker) > follower.Incarnation?.BrokerEpoch;
            if (isAlive && (!follower.IsAlive || hasRestarted)) follower.Restart(nowMs);
            follower.IsAlive = isAlive;
        }

        return Conclude(nowMs);
    }

    /// <summary>The record may have been changed by somebody else: nothing is committed until it was read again.</summary>
    public LeaderEffects RecordChanged()
    {
        _reloadsUnderWay++;
        return new(MustReload: true);
    }

    /// <summary>
    /// The write of a <see cref="LeaderEffects.Proposal"/> ended. The driver has one call to the register under way at a
    /// time, so that what it tells is always later than what it told before.
    /// </summary>
    public LeaderEffects ProposalEnded(RegisterChange change, long nowMs)
    {
        _proposal = null;
        return Take(change.Current, change.IsAccepted, nowMs);
    }

    /// <summary>
    /// The record was read, as <see cref="LeaderEffects.MustReload"/> asked. A pending proposal stays pending: its own
    /// outcome is told in time.
    /// </summary>
    public LeaderEffects Reloaded(VersionedPartition? current, long nowMs)
    {
        _reloadsUnderWay--;
        return Take(current, isOwn: false, nowMs);
    }

    private LeaderEffects Take(VersionedPartition? current, bool isOwn, long nowMs)
    {
        if (current is null || current.Record.LeaderEpoch > Epoch || current.Record.Leader != _self) return new(MustStepDown: true);
        if (!current.Record.IsInSync(_self)) return new(MustStepDown: true);
        var isNews = !isOwn && current.Version != Current.Version;
        Current = current;
        TakeFollowers(nowMs);
        if (isNews) DistrustOutsiders();
        return Conclude(nowMs);
    }

    // Whoever is not in sync may have left by itself, because its disk failed: only what it says from now on counts.
    private void DistrustOutsiders()
    {
        foreach (var follower in _followers)
            if (!Current.Record.IsInSync(follower.Broker)) follower.Distrust();
    }

    /// <summary>
    /// Up to where every in-sync replica holds the log. A replica that is about to join counts already; one that is about
    /// to leave counts until the register has let it go (KIP-497).
    /// </summary>
    protected virtual Offset CommitTarget()
    {
        var target = _localDurable;
        foreach (var follower in _followers)
            if (Counts(follower.Broker)) target = Offset.Min(target, follower.Matched);
        return target;
    }

    /// <summary>Up to where this broker's own log is durable.</summary>
    public Offset LocalDurable => _localDurable;

    private bool Counts(BrokerId broker) => Current.Record.IsInSync(broker) || _proposal?.IsInSync(broker) == true;

    private LeaderEffects Conclude(long nowMs)
    {
        var target = HasEnoughReplicas && _reloadsUnderWay == 0 ? CommitTarget() : HighWatermark;
        var hasCommitted = target > HighWatermark;
        if (hasCommitted) HighWatermark = target;
        return new(hasCommitted, Propose(nowMs)) { Replaces = Current.Version };
    }

    private void TakeFollowers(long nowMs)
    {
        var known = _followers;
        _followers = [.. Current.Record.Replicas.Where(id => id != _self).Select(id =>
            known.FirstOrDefault(follower => follower.Broker == id)
            ?? new FollowerProgress(id, _log.LogEndOffset, nowMs, _isAlive(id)))];
    }
}
