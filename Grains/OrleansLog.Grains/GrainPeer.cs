using OrleansLog.Grains.Calls;
using OrleansLog.Protocol;
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
