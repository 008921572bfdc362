using OrleansLog.Protocol;
using OrleansLog.Replication.Messages;
using OrleansLog.Storage;

namespace OrleansLog.Grains.Calls;

/// <summary>An <see cref="AppendRequest"/> as it travels.</summary>
[GenerateSerializer, Immutable]
public readonly record struct AppendCall(
    [property: Id(0)] Guid TopicId,
    [property: Id(1)] int Leader,
    [property: Id(2)] int LeaderEpoch,
    [property: Id(3)] int UncleanEpoch,
    [property: Id(4)] long From,
    [property: Id(5)] int PreviousEpoch,
    [property: Id(6)] long LogStartOffset,
    [property: Id(7)] long HighWatermark,
    [property: Id(8)] Payload Records,
    [property: Id(9)] long LogEndOffset,
    [property: Id(10)] long TombstonesGoneBefore)
{
    public static AppendCall Of(AppendRequest request) => new(
        request.TopicId, request.Leader.Value, request.LeaderEpoch.Value, request.UncleanEpoch.Value, request.From.Value,
        request.PreviousEpoch.Value, request.LogStartOffset.Value, request.HighWatermark.Value, request.Records,
        request.LogEndOffset.Value, request.TombstonesGoneBefore.Value);

    public AppendRequest ToRequest(TopicPartition partition) => new()
    {
        Partition = partition,
        TopicId = TopicId,
        Leader = new(Leader),
        LeaderEpoch = new(LeaderEpoch),
        UncleanEpoch = new(UncleanEpoch),
        From = new(From),
        PreviousEpoch = new(PreviousEpoch),
        LogStartOffset = new(LogStartOffset),
        LogEndOffset = new(LogEndOffset),
        TombstonesGoneBefore = new(TombstonesGoneBefore),
        HighWatermark = new(HighWatermark),
        Records = Records.Bytes,
    };
}

/// <summary>An <see cref="AppendReply"/> as it travels.</summary>
[GenerateSerializer, Immutable]
public readonly record struct AppendAnswer(
    [property: Id(0)] AppendCode Code,
    [property: Id(1)] int LeaderEpoch,
    [property: Id(2)] long BrokerEpoch,
    [property: Id(3)] int Reopened,
    [property: Id(4)] long CleanSince,
    [property: Id(5)] long Matched,
    [property: Id(6)] LogEnd Hint)
{
    public static AppendAnswer Of(AppendReply reply) => new(
        reply.Code, reply.LeaderEpoch.Value, reply.Incarnation.BrokerEpoch, reply.Incarnation.Reopened, reply.CleanSince, reply.Matched.Value,
        LogEnd.Of(reply.Hint));

    public AppendReply ToReply() => new()
    {
        Code = Code,
        LeaderEpoch = new(LeaderEpoch),
        Incarnation = new(BrokerEpoch, Reopened),
        CleanSince = CleanSince,
        Matched = new(Matched),
        Hint = Hint.ToEpochEnd(),
    };
}

/// <summary>Where a log, or one epoch of it, ends.</summary>
[GenerateSerializer, Immutable]
public readonly record struct LogEnd([property: Id(0)] int Epoch, [property: Id(1)] long EndOffset)
{
    public static LogEnd Of(EpochEndOffset end) => new(end.Epoch.Value, end.EndOffset.Value);

    public EpochEndOffset ToEpochEnd() => new(new(Epoch), new(EndOffset));
}

/// <summary>A changed document of the metadata register.</summary>
[GenerateSerializer, Immutable]
public readonly record struct NewsCall([property: Id(0)] string Key, [property: Id(1)] Payload Document);
