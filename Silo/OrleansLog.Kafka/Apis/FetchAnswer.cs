using OrleansLog.Kafka.Connections;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Kafka.Apis;

/// <summary>Writes fetch responses, versions 4 to 17.</summary>
internal static class FetchAnswer
{
    public static ResponseFrame Refuse(RequestHeader header, ErrorCode error)
    {
        var frame = new ResponseFrame();
        var writer = Begin(frame, header, error);
        writer.WriteArrayCount(0);
        return End(frame, ref writer);
    }

    public static ResponseFrame Encode(RequestHeader header, FetchPlan plan)
    {
        var frame = new ResponseFrame();
        var writer = Begin(frame, header, ErrorCode.None);
        writer.WriteArrayCount(plan.Topics.Count);
        var next = 0;
        foreach (var topic in plan.Topics)
        {
            if (writer.Version >= 13)
                writer.WriteUuid(topic.Id);
            else
                writer.WriteString(topic.Name);
            writer.WriteArrayCount(topic.Parts);
            for (var i = 0; i < topic.Parts; i++)
                WritePart(frame, ref writer, plan.Parts[next++], plan.StableOnly);
            EndStructure(ref writer);
        }
        return End(frame, ref writer);
    }

    private static WireWriter Begin(ResponseFrame frame, RequestHeader header, ErrorCode error)
    {
        var writer = new WireWriter(frame);
        new ResponseHeader(header.CorrelationId).Write(ref writer, ApiKey.Fetch, header.ApiVersion);
        writer.WriteInt32(0); // Throttle time.
        if (writer.Version >= 7)
        {
            writer.WriteInt16((short)error);
            writer.WriteInt32(0); // Session id: none.
        }
        return writer;
    }

    private static void WritePart(ResponseFrame frame, ref WireWriter writer, in FetchPlan.Part part, bool stableOnly)
    {
        var error = part.IsReadable ? part.Found.Error : part.Error;
        var isRead = part.IsReadable && part.Preferred == BrokerId.None;
        var highWatermark = isRead ? part.Found.HighWatermark.Value : -1;
        writer.WriteInt32(part.Index);
        writer.WriteInt16((short)error);
        writer.WriteInt64(highWatermark);
        writer.WriteInt64(isRead ? part.Found.LastStableOffset.Value : -1);
        if (writer.Version >= 5)
            writer.WriteInt64(part.Partition?.LogStartOffset?.Value ?? -1);
        WriteAborted(ref writer, part, stableOnly);
        if (writer.Version >= 11)
            writer.WriteInt32(part.Preferred.Value);
        WriteRecords(frame, ref writer, part);
        EndStructure(ref writer);
    }

    // What a reader of committed transactions has to leave out of the records; others do not ask.
    private static void WriteAborted(ref WireWriter writer, in FetchPlan.Part part, bool stableOnly)
    {
        if (!stableOnly)
        {
            writer.WriteArrayCount(-1);
            return;
        }
        var aborted = part.Partition?.AbortedTransactions(part.From, part.Found.Log.Slice) ?? [];
        writer.WriteArrayCount(aborted.Count);
        foreach (var transaction in aborted)
        {
            writer.WriteInt64(transaction.ProducerId);
            writer.WriteInt64(transaction.First.Value);
            EndStructure(ref writer);
        }
    }

    private static void WriteRecords(ResponseFrame frame, ref WireWriter writer, in FetchPlan.Part part)
    {
        var slice = part.Found.Log.Slice;
        writer.WriteBytesLength(slice.Length);
        if (slice.Length == 0)
            return;
        writer.Flush();
        frame.Append(slice);
    }

    private static ResponseFrame End(ResponseFrame frame, ref WireWriter writer)
    {
        EndStructure(ref writer);
        writer.Flush();
        return frame.Complete();
    }

    private static void EndStructure(ref WireWriter writer)
    {
        if (writer.IsFlexible)
            writer.WriteEmptyTaggedFields();
    }
}
