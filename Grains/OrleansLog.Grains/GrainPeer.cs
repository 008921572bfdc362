using System.Buffers;
using OrleansLog.Grains.Calls;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;
using OrleansLog.Replication.Brokers;
using OrleansLog.Replication.Messages;
using OrleansLog.Storage;

namespace OrleansLog.Grains;

/// <summary>Another broker, reached through its grains. Any thread.</summary>
public sealed class GrainPeer(IGrainFactory grains, BrokerId broker) : IBrokerPeer
{
    private readonly IBrokerGrain _broker = grains.GetGrain<IBrokerGrain>(broker.Value);

    public async ValueTask<AppendReply> AppendAsync(AppendRequest request, CancellationToken cancellationToken)
    {
        var follower = grains.GetGrain<IFollowerGrain>(GrainKeys.Of(request.Partition, broker));
        return (await CallAsync(follower.AppendAsync(AppendCall.Of(request)).AsTask(), cancellationToken)).ToReply();
    }

    public Task TellAsync(IReadOnlyList<RegisterNews> news, CancellationToken cancellationToken) =>
        CallAsync(_broker.TellAsync([.. news.Select(each => new NewsCall(each.Key, each.Document))], cancellationToken), cancellationToken);

    public Task LeadPreferredAsync(TopicPartition partition, CancellationToken cancellationToken) =>
        CallAsync(_broker.LeadPreferredAsync(partition.Topic, partition.Partition), cancellationToken);

    public async Task<EpochEndOffset?> FindLogEndAsync(TopicPartition partition, CancellationToken cancellationToken) =>
        (await CallAsync(_broker.FindLogEndAsync(partition.Topic, partition.Partition), cancellationToken))?.ToEpochEnd();

    public Task<bool> LeadUncleanlyAsync(TopicPartition partition, CancellationToken cancellationToken) =>
        CallAsync(_broker.LeadUncleanlyAsync(partition.Topic, partition.Partition), cancellationToken);

    public Task<AddPartitionsToTxnResponse> AddPartitionsToTxnAsync(AddPartitionsToTxnRequest request, CancellationToken cancellationToken) =>
        AskAsync(request, cancellationToken);

    public Task<WriteTxnMarkersResponse> WriteTxnMarkersAsync(WriteTxnMarkersRequest request, CancellationToken cancellationToken) =>
        AskAsync(request, cancellationToken);

    public Task<InitializeShareGroupStateResponse> InitializeShareStateAsync(InitializeShareGroupStateRequest request, CancellationToken cancellationToken) =>
        AskAsync(request, cancellationToken);

    public Task<ReadShareGroupStateResponse> ReadShareStateAsync(ReadShareGroupStateRequest request, CancellationToken cancellationToken) =>
        AskAsync(request, cancellationToken);

    public Task<WriteShareGroupStateResponse> WriteShareStateAsync(WriteShareGroupStateRequest request, CancellationToken cancellationToken) =>
        AskAsync(request, cancellationToken);

    public Task<DeleteShareGroupStateResponse> DeleteShareStateAsync(DeleteShareGroupStateRequest request, CancellationToken cancellationToken) =>
        AskAsync(request, cancellationToken);

    public Task<ReadShareGroupStateSummaryResponse> SummarizeShareStateAsync(ReadShareGroupStateSummaryRequest request, CancellationToken cancellationToken) =>
        AskAsync(request, cancellationToken);

    public Task<ListOffsetsResponse> ListOffsetsAsync(ListOffsetsRequest request, CancellationToken cancellationToken) =>
        AskAsync(request, cancellationToken);

    // As any request that is meant for this broker.
    private async Task<TResponse> AskAsync<TResponse>(IRequest<TResponse> request, CancellationToken cancellationToken)
        where TResponse : class, IResponse, new()
    {
        var version = Apis.Find(TResponse.Api)!.Value.Max;
        var output = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(output);
        new RequestHeader(TResponse.Api, version, CorrelationId: 0, ClientId: null).Write(ref writer);
        request.Describe(ref writer);
        writer.Flush();
        var answer = await CallAsync(_broker.HandleAsync(new Payload(output.WrittenMemory), cancellationToken).AsTask(), cancellationToken);
        return Decode<TResponse>(answer.Bytes, version);
    }

    private static TResponse Decode<TResponse>(ReadOnlyMemory<byte> frame, short version) where TResponse : class, IResponse, new()
    {
        var reader = new WireReader(frame);
        ResponseHeader.Read(ref reader, TResponse.Api, version);
        return reader.Read<TResponse>();
    }

    private async Task CallAsync(Task call, CancellationToken cancellationToken)
    {
        try
        {
            await call.WaitAsync(cancellationToken);
        }
        catch (Exception failed) when (IsNoAnswer(failed))
        {
            throw NoAnswer(failed);
        }
    }

    private async Task<T> CallAsync<T>(Task<T> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call.WaitAsync(cancellationToken);
        }
        catch (Exception failed) when (IsNoAnswer(failed))
        {
            throw NoAnswer(failed);
        }
    }

    private static bool IsNoAnswer(Exception failed) => failed is not (IOException or OperationCanceledException);

    // Orleans has many exceptions for it: time-outs, rejections, silos that are not there or refuse.
    private IOException NoAnswer(Exception failed) => new($"Broker {broker} gave no answer: {failed.Message}", failed);
}
