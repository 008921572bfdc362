using System.Runtime.InteropServices;
using OrleansLog.Broker.Clustered;
using OrleansLog.Broker.Topics;
using OrleansLog.Grains;
using OrleansLog.Grains.Calls;
using OrleansLog.Kafka;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Replication.Brokers;

namespace OrleansLog.Hosting;

/// <summary>The silo's broker as its grains see it: not there before it is open, and not after it was closed. Any thread.</summary>
internal sealed class LocalBroker(BrokerId id) : ILocalBroker, IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Opened? _opened;

    public BrokerId Id => id;

    public IBrokerPeer Peer => Now.Broker;

    public CancellationToken Stopping => _stopping.Token;

    public BrokerId Controller => Volatile.Read(ref _opened)?.Broker.Directory.Image.Controller ?? BrokerId.None;

    private Opened Now => Volatile.Read(ref _opened) ?? throw new IOException($"Broker {id} is not open.");

    /// <summary>The grains reach it from now on.</summary>
    public void Open(ClusteredBroker broker) => Volatile.Write(ref _opened, new(broker, new KafkaRequests(broker.Broker!)));

    /// <summary>Lets go of whoever waits for an answer: a silo does not end while calls are held back.</summary>
    public Task StopServingAsync() => _stopping.CancelAsync();

    public void Dispose() => _stopping.Dispose();

    public BrokerId LeaderOf(TopicPartition partition) =>
        Volatile.Read(ref _opened)?.Broker.Directory.Image.FindPartition(partition)?.Leader ?? BrokerId.None;

    public BrokerId CoordinatorOf(int offsetsPartition) => LeaderOf(new(TopicName.ConsumerOffsets, offsetsPartition));

    public BrokerId TransactionCoordinatorOf(int statePartition) => LeaderOf(new(TopicName.TransactionState, statePartition));

    public async ValueTask<Payload> HandleAsync(Payload request, CancellationToken cancellationToken) =>
        await Now.Requests.HandleAsync(request.Bytes, cancellationToken) is { Array: { } response, Count: var length } ? Payload.OfRented(response, length) : default;

    public async ValueTask<AppendResult> AppendAsync(TopicPartition partition, Payload batches, short acks, int timeoutMs)
    {
        if (Now.Broker.Broker?.Partitions.Find(partition) is not { } found)
            return new(WhyNotLed(partition), -1, -1);
        var appended = found.Append(MemoryMarshal.AsMemory(batches.Bytes), awaitsCommit: acks == -1, timeoutMs);
        var error = await appended.Done;
        return error == ErrorCode.None ? new(error, appended.BaseOffset.Value, appended.LogStart.Value) : new(error, -1, -1);
    }

    public async ValueTask<FetchResult> FetchAsync(TopicPartition partition, FetchCall call)
    {
        var request = new FetchRequest
        {
            MaxWaitMs = call.WaitMsMax,
            MinBytes = 1,
            MaxBytes = call.BytesMax,
            Topics = [new() { Topic = partition.Topic, Partitions = [new() { Partition = partition.Partition, FetchOffset = call.From, PartitionMaxBytes = call.BytesMax }] }],
        };
        // The last version that names topics by their names.
        var answer = (await Now.Requests.AskAsync(request, version: 12)).Responses[0].Partitions[0];
        return new(answer.ErrorCode, answer.HighWatermark, answer.LogStartOffset, answer.Records ?? default);
    }

    public async ValueTask<OffsetResult> ListOffsetAsync(TopicPartition partition, long timestampMs)
    {
        var request = new ListOffsetsRequest
        {
            Topics = [new() { Name = partition.Topic, Partitions = [new() { PartitionIndex = partition.Partition, Timestamp = timestampMs }] }],
        };
        var answer = (await Now.Requests.AskAsync(request)).Topics[0].Partitions[0];
        return new(answer.ErrorCode, answer.Offset, answer.Timestamp);
    }

    public async ValueTask<OffsetResult> DeleteRecordsAsync(TopicPartition partition, long before)
    {
        var request = new DeleteRecordsRequest
        {
            Topics = [new() { Name = partition.Topic, Partitions = [new() { PartitionIndex = partition.Partition, Offset = before }] }],
            TimeoutMs = 30_000,
        };
        var answer = (await Now.Requests.AskAsync(request)).Topics[0].Partitions[0];
        return new(answer.ErrorCode, answer.LowWatermark, -1);
    }

    private ErrorCode WhyNotLed(TopicPartition partition) => Now.Broker.Broker?.WhyNotLed(partition) ?? ErrorCode.NotLeaderOrFollower;

    private sealed record Opened(ClusteredBroker Broker, KafkaRequests Requests);
}
