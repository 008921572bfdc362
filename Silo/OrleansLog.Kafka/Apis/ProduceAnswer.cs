using OrleansLog.Broker.Partitions;
using OrleansLog.Kafka.Connections;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Kafka.Apis;

/// <summary>What is known of a produce request when its batches are appended, and its answer once they are committed.</summary>
internal sealed class ProduceAnswer(RequestHeader header)
{
    private readonly List<(string Name, int Partitions)> _topics = new(1);
    private readonly List<(int Index, AppendOutcome Outcome)> _partitions = new(1);
    private List<(int At, ValueTask<AppendOutcome> Outcome)>? _pending;

    public ErrorCode? FirstRefusal
    {
        get
        {
            foreach (var (_, outcome) in _partitions)
            {
                if (outcome.Error != ErrorCode.None)
                    return outcome.Error;
            }
            return null;
        }
    }

    public void AddTopic(string name) => _topics.Add((name, 0));

    public void AddPartition(int index, ValueTask<AppendOutcome> outcome)
    {
        var (name, partitions) = _topics[^1];
        _topics[^1] = (name, partitions + 1);
        if (!outcome.IsCompletedSuccessfully)
            (_pending ??= []).Add((_partitions.Count, outcome));
        _partitions.Add((index, outcome.IsCompletedSuccessfully ? outcome.Result : default));
    }

    public async ValueTask<ResponseFrame?> EncodeWhenCommittedAsync()
    {
        foreach (var (at, outcome) in _pending ?? [])
            _partitions[at] = (_partitions[at].Index, await outcome);
        for (var i = 0; i < _partitions.Count; i++)
        {
            var (index, outcome) = _partitions[i];
            var error = await outcome.Done;
            if (error != outcome.Error)
                _partitions[i] = (index, AppendOutcome.Refused(error));
        }
        return Encode();
    }

    private ResponseFrame Encode()
    {
        var frame = new ResponseFrame();
        var writer = new WireWriter(frame);
        new ResponseHeader(header.CorrelationId).Write(ref writer, ApiKey.Produce, header.ApiVersion);
        writer.WriteArrayCount(_topics.Count);
        var next = 0;
        foreach (var (name, partitions) in _topics)
        {
            writer.WriteString(name);
            writer.WriteArrayCount(partitions);
            foreach (var (index, outcome) in _partitions.GetRange(next, partitions))
                WritePartition(ref writer, index, outcome);
            next += partitions;
            EndStructure(ref writer);
        }
        writer.WriteInt32(0); // Throttle time.
        EndStructure(ref writer);
        writer.Flush();
        return frame.Complete();
    }

    private static void WritePartition(ref WireWriter writer, int index, in AppendOutcome outcome)
    {
        writer.WriteInt32(index);
        writer.WriteInt16((short)outcome.Error);
        writer.WriteInt64(outcome.BaseOffset.Value);
        writer.WriteInt64(outcome.AppendTimeMs);
        if (writer.Version >= 5)
            writer.WriteInt64(outcome.LogStart.Value);
        if (writer.Version >= 8)
        {
            writer.WriteArrayCount(0); // Errors of single records: a batch is taken or refused whole.
            writer.WriteNullableString(outcome.Reason);
        }
        EndStructure(ref writer);
    }

    private static void EndStructure(ref WireWriter writer)
    {
        if (writer.IsFlexible)
            writer.WriteEmptyTaggedFields();
    }
}
