using OrleansLog.Protocol;
using OrleansLog.Replication.Messages;

namespace OrleansLog.Replication.Leading;

/// <summary>What a leader knows of one follower. Changed on the leader's turn only.</summary>
public sealed class FollowerProgress
{
    internal FollowerProgress(BrokerId broker, Offset next, long nowMs, bool isAlive)
    {
        Broker = broker;
        Next = next;
        CaughtUpMs = nowMs;
        CheckpointMs = nowMs;
        CheckpointEnd = next;
        IsAlive = isAlive;
    }

    public BrokerId Broker { get; }

    /// <summary>Which life of the replica answered last; null before the first answer.</summary>
    public ReplicaIncarnation? Incarnation { get; internal set; }

    /// <summary>The earliest broker epoch whose progress it still has for certain.</summary>
    public long CleanSince { get; internal set; }

    /// <summary>It holds the leader's log up to here, durably under the topic's policy.</summary>
    public Offset Matched { get; internal set; } = Offset.Zero;

    /// <summary>What to send next.</summary>
    public Offset Next { get; internal set; }

    /// <summary>Whether it is still being found out where the logs agree; one append at a time then.</summary>
    public bool IsProbing { get; internal set; } = true;

    /// <summary>Its disk failed, or it has no such replica.</summary>
    public bool HasFailed { get; internal set; }

    /// <summary>What the engine says about its broker.</summary>
    public bool IsAlive { get; internal set; }

    public int AppendsInFlight { get; internal set; }

    public int BytesInFlight { get; internal set; }

    /// <summary>When it last held everything that the leader had at that time.</summary>
    public long CaughtUpMs { get; internal set; }

    internal long CheckpointMs { get; set; }

    internal Offset CheckpointEnd { get; set; }

    /// <summary>Numbers the appends.</summary>
    internal long Sequence { get; set; }

    /// <summary>Mismatches and losses of appends before this one were dealt with.</summary>
    internal long RewoundAt { get; set; }

    /// <summary>Answers to appends up to this one say nothing about what it holds now.</summary>
    internal long DistrustedAt { get; private set; }

    internal Offset SentHighWatermark { get; set; } = Offset.Zero;

    internal Offset SentLogStart { get; set; } = Offset.Zero;

    internal long RetryAtMs { get; set; }

    /// <summary>An append goes out, with records up to <paramref name="next"/>.</summary>
    public void Sent(in AppendPlan plan, Offset next, int bytes)
    {
        AppendsInFlight++;
        BytesInFlight += bytes;
        SentHighWatermark = plan.HighWatermark;
        SentLogStart = plan.LogStart;
        if (!IsProbing && plan.From == Next) Next = next;
    }

    /// <summary>What it has said so far, and what is on its way, counts no more.</summary>
    internal void Distrust()
    {
        Matched = Offset.Zero;
        Rewind(Next);
        DistrustedAt = Sequence;
    }

    internal void Rewind(Offset next)
    {
        Next = next;
        IsProbing = true;
        RewoundAt = Sequence;
    }

    /// <summary>Begins again where the logs were last known to agree.</summary>
    internal void Restart(long atMs)
    {
        Rewind(Matched > Offset.Zero ? Matched : Next);
        RetryAtMs = atMs;
    }

    /// <summary>Another life of the replica answers: what the earlier one held counts no more.</summary>
    internal void MeetAnew(AppendReply reply)
    {
        Matched = Offset.Zero;
        SentHighWatermark = Offset.Zero;
        SentLogStart = Offset.Zero;
        if (Incarnation is not null) Rewind(Next);
        Incarnation = reply.Incarnation;
        CleanSince = reply.CleanSince;
    }
}
