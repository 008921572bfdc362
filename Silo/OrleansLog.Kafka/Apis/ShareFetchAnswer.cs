using OrleansLog.Broker.Shares;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Kafka.Connections;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Kafka.Apis;

/// <summary>A response to ShareFetch in the making, versions 1 and 2, which are alike.</summary>
internal sealed class ShareFetchAnswer(ShareAcknowledgements acknowledgements, int lockDurationMs, int batchSize)
{
    private readonly Dictionary<SessionPartition, Part> _parts = [];

    private sealed class Part
    {
        public ErrorCode Error;
        public ErrorCode AcknowledgeError;
        public SharedRead Read = SharedRead.Nothing;
        public ShareLeader Leader = new();
    }

    /// <summary>Whether partitions without news are part of it.</summary>
    public bool SaysAll { get; init; }

    /// <summary>The records acquired so far.</summary>
    public long Records { get; private set; }

    /// <summary>The bytes of the batches that they lie in.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether a partition cannot be fetched from.</summary>
    public bool HasErrors { get; private set; }

    public static ResponseFrame Refuse(RequestHeader header, ErrorCode error, string? message)
    {
        var frame = new ResponseFrame();
        var writer = Begin(frame, header, error, message, 0);
        writer.WriteArrayCount(0);
        writer.WriteArrayCount(0);
        writer.WriteEmptyTaggedFields();
        writer.Flush();
        return frame.Complete();
    }

    public void Acknowledged(SessionPartition id, ErrorCode error)
    {
        var part = Find(id);
        part.AcknowledgeError = error;
        if (error == ErrorCode.NotLeaderOrFollower)
            part.Leader = acknowledgements.FindLeader(id, error);
    }

    public void Failed(SessionPartition id, ErrorCode error)
    {
        var part = Find(id);
        (part.Error, part.Leader) = (error, acknowledgements.FindLeader(id, error));
        HasErrors = true;
    }

    public void Acquired(SessionPartition id, in SharedRead read)
    {
        if (read.Error != ErrorCode.None)
            Failed(id, read.Error);
        else if (read.Acquired.Count > 0 || SaysAll)
            Find(id).Read = read;
        foreach (var range in read.Acquired)
            Records += range.Last - range.First + 1;
        Bytes += read.Slice.Length;
    }

    public ResponseFrame Encode(RequestHeader header)
    {
        var frame = new ResponseFrame();
        var writer = Begin(frame, header, ErrorCode.None, null, lockDurationMs);
        var topics = _parts.GroupBy(part => part.Key.TopicId).ToList();
        writer.WriteArrayCount(topics.Count);
        foreach (var topic in topics)
        {
            var parts = topic.ToList();
            writer.WriteUuid(topic.Key);
            writer.WriteArrayCount(parts.Count);
            foreach (var (id, part) in parts)
                Write(frame, ref writer, id.Partition, part);
            writer.WriteEmptyTaggedFields();
        }
        var endpoints = acknowledgements.Endpoints(_parts.Values.Select(part => part.Leader));
        writer.Array(ref endpoints);
        writer.WriteEmptyTaggedFields();
        writer.Flush();
        return frame.Complete();
    }

    private Part Find(SessionPartition id)
    {
        if (!_parts.TryGetValue(id, out var part))
            _parts.Add(id, part = new Part());
        return part;
    }

    private static WireWriter Begin(ResponseFrame frame, RequestHeader header, ErrorCode error, string? message, int lockDurationMs)
    {
        var writer = new WireWriter(frame);
        new ResponseHeader(header.CorrelationId).Write(ref writer, ApiKey.ShareFetch, header.ApiVersion);
        writer.WriteInt32(0); // Throttle time.
        writer.WriteInt16((short)error);
        writer.WriteNullableString(message);
        writer.WriteInt32(lockDurationMs);
        return writer;
    }

    private void Write(ResponseFrame frame, ref WireWriter writer, int index, Part part)
    {
        writer.WriteInt32(index);
        writer.WriteInt16((short)part.Error);
        writer.WriteNullableString(null);
        writer.WriteInt16((short)part.AcknowledgeError);
        writer.WriteNullableString(null);
        part.Leader.Describe(ref writer);
        writer.WriteBytesLength(part.Read.Slice.Length);
        if (!part.Read.Slice.IsEmpty)
        {
            writer.Flush();
            frame.Append(part.Read.Slice);
        }
        var acquired = Split(part.Read.Acquired);
        writer.WriteArrayCount(acquired.Count);
        foreach (var range in acquired)
            Write(ref writer, range);
        writer.WriteEmptyTaggedFields();
    }

    private static void Write(ref WireWriter writer, in AcquiredRange range)
    {
        writer.WriteInt64(range.First.Value);
        writer.WriteInt64(range.Last.Value);
        writer.WriteInt16(range.DeliveryCount);
        writer.WriteEmptyTaggedFields();
    }

    /// <summary>Ranges of no more records than the member would like to acknowledge at once.</summary>
    private IReadOnlyList<AcquiredRange> Split(IReadOnlyList<AcquiredRange> acquired)
    {
        if (batchSize <= 0 || acquired.All(range => range.Last - range.First < batchSize))
            return acquired;
        var split = new List<AcquiredRange>();
        foreach (var range in acquired)
        {
            for (var first = range.First; first <= range.Last; first += batchSize)
                split.Add(range with { First = first, Last = Offset.Min(first + (batchSize - 1), range.Last) });
        }
        return split;
    }
}
