using OrleansLog.Protocol;
using OrleansLog.Replication;
using OrleansLog.Replication.Leading;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Replication;

/// <summary>A leader's decisions on a clock of its own: broker 0 leads epoch 3, brokers 1 and 2 follow.</summary>
internal sealed class LeaderScript : ILogOutline
{
    private readonly HashSet<BrokerId> _dead = [];

    public LeaderScript(long end, int minInSync = 2)
    {
        LogEndOffset = new(end);
        var record = PartitionRecord.Create([new(new(0), 1), new(new(1), 1), new(new(2), 1)], "n") with
        {
            Leader = new(0),
            LeaderEpoch = new(3),
        };
        State = new(new(0), new(record, new(1)), this, Offset.Zero, Options(minInSync), id => !_dead.Contains(id), NowMs);
        State.LocallyDurable(LogEndOffset, NowMs);
    }

    public LeaderState State { get; }

    public long NowMs { get; set; } = 1_000;

    public Offset LogStartOffset { get; set; } = Offset.Zero;

    public Offset LogEndOffset { get; private set; }

    public LeaderEpoch LatestEpoch => new(3);

    public LeaderEpoch EpochAt(Offset offset) => offset < LogStartOffset || offset >= LogEndOffset ? LeaderEpoch.None : new(3);

    public EpochEndOffset EndOffsetFor(LeaderEpoch epoch) => epoch == new LeaderEpoch(3) ? new(epoch, LogEndOffset) : EpochEndOffset.Unknown;

    public FollowerProgress Follower(int broker) => State.Followers.Single(follower => follower.Broker.Value == broker);

    public LeaderEffects Append(long records)
    {
        var previous = LogEndOffset;
        LogEndOffset += records;
        State.Appended(previous, NowMs);
        return State.LocallyDurable(LogEndOffset, NowMs);
    }

    /// <summary>Sends the next append to a follower and lets it answer that it holds everything up to an offset.</summary>
    public LeaderEffects Accept(int broker, long matched, long brokerEpoch = 1, long cleanSince = 1)
    {
        var plan = State.NextSend(Follower(broker), NowMs) ?? new AppendPlan(long.MaxValue, LogEndOffset, LatestEpoch, LogStartOffset, LogEndOffset, 0, Offset.Zero, false);
        Follower(broker).Sent(plan, LogEndOffset, 0);
        return State.Replied(Follower(broker), plan, 0, Reply(AppendCode.Accepted, brokerEpoch, cleanSince) with { Matched = new(matched) }, NowMs);
    }

    public LeaderEffects Die(int broker)
    {
        _dead.Add(new(broker));
        return State.BrokersChanged(_ => 1, NowMs);
    }

    /// <summary>A broker is heard of in another epoch, without having been missed.</summary>
    public LeaderEffects Restart(int broker, long brokerEpoch) => State.BrokersChanged(id => id.Value == broker ? brokerEpoch : 1, NowMs);

    public LeaderEffects Write(PartitionRecord proposal) =>
        State.ProposalEnded(new(true, new(proposal, new(State.Current.Version.Value + 1))), NowMs);

    public static AppendReply Reply(AppendCode code, long brokerEpoch = 1, long cleanSince = 1) => new()
    {
        Code = code,
        LeaderEpoch = new(3),
        Incarnation = new(brokerEpoch, 0),
        CleanSince = cleanSince,
    };

    private static ReplicationOptions Options(int minInSync) => new() { MinInSyncReplicas = minInSync, ReplicaLagTimeMaxMs = 500 };
}
