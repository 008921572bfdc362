using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Producing;

/// <summary>
/// One produce request: batches of one broker's partitions, at most one of each. Written by hand, so that the batches'
/// bytes go from their builders to the socket as they are.
/// </summary>
internal sealed class ProduceCall(BrokerLine line, List<ProducerBatch> batches, ProducerOptions options) : OutgoingRequest
{
    private const short FirstVersionWithTransactions = 12;

    private static readonly ApiVersionRange Versions = Apis.Find(ApiKey.Produce)!.Value;

    public BrokerLine Line => line;

    public IReadOnlyList<ProducerBatch> Batches => batches;

    /// <summary>What became of each batch, in their order.</summary>
    public BatchResult[] Results { get; } = new BatchResult[batches.Count];

    public override ApiKey Api => ApiKey.Produce;
    // From this version on a partition that is written to is part of the transaction (KIP-890).
    public override short VersionMin => options.TransactionalId is null ? Versions.Min : FirstVersionWithTransactions;
    public override short VersionMax => Versions.Max;
    public override bool ExpectsResponse => options.Acks != Acks.None;
    public override bool MayContinueInline => true;
    public override int HoldMsMax => options.RequestTimeoutMs;

    // A leader may wait that long for its followers, but it hardly ever does.
    public override int PatienceMs => SuspicionMs;

    public override void WriteBody(short version, FrameBuilder destination)
    {
        var writer = new WireWriter(destination, version, Versions.IsFlexible(version));
        writer.WriteNullableString(options.TransactionalId);
        writer.WriteInt16((short)options.Acks);
        writer.WriteInt32(options.RequestTimeoutMs);
        batches.Sort(static (a, b) => string.CompareOrdinal(a.Queue.Partition.Topic, b.Queue.Partition.Topic));
        writer.WriteArrayCount(CountTopics());
        for (var i = 0; i < batches.Count;) i = WriteTopic(ref writer, i, destination);
        if (writer.IsFlexible) writer.WriteEmptyTaggedFields();
        writer.Flush();
    }

    /// <summary>Finds each batch's result in the answer.</summary>
    public void Read(ResponseFrame frame)
    {
        if (!ExpectsResponse)
        {
            Array.Fill(Results, new BatchResult(ErrorCode.None, Offset.None, -1, null));
            return;
        }
        Array.Fill(Results, new BatchResult(ErrorCode.UnknownServerError, Offset.None, -1, "the broker's answer left it out"));
        foreach (var topic in MessageRequest<ProduceResponse>.ReadBody(frame).Responses)
        {
            foreach (var partition in topic.PartitionResponses)
            {
                var i = batches.FindIndex(batch => batch.Queue.Partition.Partition == partition.Index && batch.Queue.Partition.Topic == topic.Name);
                if (i >= 0) Results[i] = BatchResult.From(partition);
            }
        }
    }

    /// <summary>Gives all batches the same result, when there was no answer.</summary>
    public void FailAll(OrleansLogException error) =>
        Array.Fill(Results, new BatchResult(error.ErrorCode, Offset.None, -1, error.Message));

    private int WriteTopic(ref WireWriter writer, int first, FrameBuilder destination)
    {
        var topic = batches[first].Queue.Partition.Topic;
        var end = first + 1;
        while (end < batches.Count && batches[end].Queue.Partition.Topic == topic) end++;
        writer.WriteString(topic);
        writer.WriteArrayCount(end - first);
        for (var i = first; i < end; i++)
        {
            writer.WriteInt32(batches[i].Queue.Partition.Partition);
            writer.WriteBytesLength(batches[i].Bytes.Length);
            writer.Flush();
            destination.Append(batches[i].Bytes);
            if (writer.IsFlexible) writer.WriteEmptyTaggedFields();
        }
        if (writer.IsFlexible) writer.WriteEmptyTaggedFields();
        return end;
    }

    private int CountTopics()
    {
        var count = 1;
        for (var i = 1; i < batches.Count; i++)
        {
            if (batches[i].Queue.Partition.Topic != batches[i - 1].Queue.Partition.Topic) count++;
        }
        return count;
    }
}

/// <summary>What a broker answered about one batch.</summary>
internal readonly record struct BatchResult(ErrorCode Error, Offset BaseOffset, long LogAppendTimeMs, string? Message)
{
    /// <summary>The leader that the broker named instead of itself, if it did.</summary>
    public (BrokerId Leader, LeaderEpoch Epoch)? NewLeader { get; init; }

    // What is there already was stored by an earlier attempt; not every broker says where.
    public static BatchResult From(ProduceResponse.PartitionProduceResponse partition) =>
        new(partition.ErrorCode == ErrorCode.DuplicateSequenceNumber ? ErrorCode.None : partition.ErrorCode,
            new Offset(partition.BaseOffset), partition.LogAppendTimeMs, partition.ErrorMessage)
        {
            NewLeader = partition.CurrentLeader is { LeaderId: >= 0 } leader
                ? (new BrokerId(leader.LeaderId), new LeaderEpoch(leader.LeaderEpoch))
                : null,
        };
}
