using OrleansLog.Broker.Partitions;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Storage;

namespace OrleansLog.Kafka.Apis;

/// <summary>Offsets of a log: by time, first, last, by leader epoch; and moving the first one (DeleteRecords).</summary>
internal sealed class OffsetsApi(Broker.Broker broker)
{
    // What ListOffsets means by a negative timestamp.
    private const long Latest = -1;
    private const long Earliest = -2;
    private const long MaxTimestamp = -3; // KIP-734
    private const long EarliestLocal = -4; // KIP-405
    private const long LatestTiered = -5; // KIP-1005

    private const sbyte ReadCommitted = 1;

    public void Register(ApiDispatcher dispatcher)
    {
        dispatcher.Register<ListOffsetsRequest, ListOffsetsResponse>((request, _) => ListOffsetsAsync(request));
        dispatcher.Register<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>((request, _) => new(FindEpochEnds(request)));
        dispatcher.Register<DeleteRecordsRequest, DeleteRecordsResponse>((request, _) => DeleteRecordsAsync(request));
    }

    private async ValueTask<ListOffsetsResponse> ListOffsetsAsync(ListOffsetsRequest request)
    {
        var response = new ListOffsetsResponse();
        foreach (var topic in request.Topics)
        {
            var result = new ListOffsetsResponse.ListOffsetsTopicResponse { Name = topic.Name };
            foreach (var asked in topic.Partitions)
                result.Partitions.Add(await ListOffsetAsync(new TopicPartition(topic.Name, asked.PartitionIndex), asked, stableOnly: request.IsolationLevel == ReadCommitted));
            response.Topics.Add(result);
        }
        return response;
    }

    private async ValueTask<ListOffsetsResponse.ListOffsetsPartitionResponse> ListOffsetAsync(TopicPartition id, ListOffsetsRequest.ListOffsetsPartition asked, bool stableOnly)
    {
        var answer = new ListOffsetsResponse.ListOffsetsPartitionResponse { PartitionIndex = asked.PartitionIndex };
        var partition = broker.Partitions.Find(id);
        answer.ErrorCode = CheckLeader(id, partition, asked.CurrentLeaderEpoch);
        if (answer.ErrorCode == ErrorCode.None && (!partition!.KnowsHighWatermark || (partition.LogStartOffset is null && asked.Timestamp is not (Latest or EarliestLocal))))
            answer.ErrorCode = ErrorCode.OffsetNotAvailable;
        if (answer.ErrorCode != ErrorCode.None)
            return answer;
        try
        {
            var found = await FindAsync(partition!, asked.Timestamp, stableOnly ? partition!.LastStableOffset : partition!.HighWatermark);
            (answer.Offset, answer.Timestamp) = (found.Offset.Value, found.TimestampMs);
            answer.LeaderEpoch = found.Offset == Offset.None ? LeaderEpoch.None.Value : partition!.LeaderEpoch.Value;
        }
        catch (StorageException unreadable)
        {
            answer.ErrorCode = unreadable.Error;
        }
        catch (IOException)
        {
            answer.ErrorCode = ErrorCode.KafkaStorageError;
        }
        return answer;
    }

    private static async ValueTask<TimestampedOffset> FindAsync(Partition partition, long timestamp, Offset end) => timestamp switch
    {
        Latest => new(end, -1),
        Earliest => new(partition.LogStartOffset ?? partition.Log.LogStartOffset, -1),
        EarliestLocal => new(partition.Log.LogStartOffset, -1),
        MaxTimestamp => Below(end, await partition.FindMaxTimestampAsync()),
        LatestTiered => new(partition.Tier?.TieredEnd is { } tiered && tiered != Offset.None ? tiered - 1L : Offset.None, -1),
        _ => Below(end, await partition.FindByTimestampAsync(timestamp)),
    };

    private static TimestampedOffset Below(Offset end, TimestampedOffset? found) =>
        found is { } record && record.Offset < end ? record : new(Offset.None, -1);

    private OffsetForLeaderEpochResponse FindEpochEnds(OffsetForLeaderEpochRequest request) => new()
    {
        Topics = [.. request.Topics.Select(topic => new OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult
        {
            Topic = topic.Topic,
            Partitions = [.. topic.Partitions.Select(asked => FindEpochEnd(new TopicPartition(topic.Topic, asked.Partition), asked))],
        })],
    };

    private OffsetForLeaderEpochResponse.EpochEndOffset FindEpochEnd(
        TopicPartition id, OffsetForLeaderEpochRequest.OffsetForLeaderPartition asked)
    {
        var answer = new OffsetForLeaderEpochResponse.EpochEndOffset { Partition = asked.Partition };
        var partition = broker.Partitions.Find(id);
        answer.ErrorCode = CheckLeader(id, partition, asked.CurrentLeaderEpoch);
        if (answer.ErrorCode == ErrorCode.None)
        {
            var end = partition!.EndOffsetFor(new LeaderEpoch(asked.LeaderEpoch));
            (answer.LeaderEpoch, answer.EndOffset) = (end.Epoch.Value, end.EndOffset.Value);
        }
        return answer;
    }

    private async ValueTask<DeleteRecordsResponse> DeleteRecordsAsync(DeleteRecordsRequest request)
    {
        var response = new DeleteRecordsResponse();
        foreach (var topic in request.Topics)
        {
            var result = new DeleteRecordsResponse.DeleteRecordsTopicResult { Name = topic.Name };
            foreach (var asked in topic.Partitions)
                result.Partitions.Add(await DeleteRecordsAsync(new TopicPartition(topic.Name, asked.PartitionIndex), new Offset(asked.Offset)));
            response.Topics.Add(result);
        }
        return response;
    }

    private async ValueTask<DeleteRecordsResponse.DeleteRecordsPartitionResult> DeleteRecordsAsync(TopicPartition id, Offset before)
    {
        var partition = broker.Partitions.Find(id);
        var error = CheckLeader(id, partition, LeaderEpoch.None.Value);
        var start = Offset.None;
        if (error == ErrorCode.None)
            (error, start) = await partition!.DeleteBeforeAsync(before);
        return new() { PartitionIndex = id.Partition, ErrorCode = error, LowWatermark = start.Value };
    }

    private ErrorCode CheckLeader(TopicPartition id, Partition? led, int epoch) => led?.CheckLeader(epoch) ?? broker.WhyNotLed(id);
}
