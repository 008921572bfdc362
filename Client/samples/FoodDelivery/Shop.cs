using OrleansLog.Client;
using OrleansLog.Protocol;

namespace FoodDelivery;

/// <summary>Runs the desk that takes orders and the two services that read what it writes, each in its own group.</summary>
internal sealed class Shop(OrleansLogClient client)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Makes the topics, unless they are there from last time.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        NewTopic[] topics = [new(Topics.Orders, Topics.PartitionCount), new(Topics.Payments, Topics.PartitionCount)];
        foreach (var result in await client.Admin.CreateTopicsAsync(topics, cancellationToken: cancellationToken))
            if (result.Error != ErrorCode.TopicAlreadyExists) result.ThrowIfFailed("create topic");
    }

    /// <summary>Takes so many orders, waits until both services have seen everything, and stops them.</summary>
    public async Task RunAsync(int orderCount, CancellationToken cancellationToken)
    {
        using var closing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var deliveries = new Deliveries(client);
        var statistics = new Statistics(client);
        Task[] services = [deliveries.RunAsync(closing.Token), statistics.RunAsync(closing.Token)];
        var desk = OrdersThenCloseAsync(orderCount, [deliveries.Consumer, statistics.Consumer], closing);
        // A service that fails closes the shop.
        await Task.WhenAny([.. services, desk]);
        await closing.CancelAsync();
        await Task.WhenAll([.. services, desk]);
    }

    private async Task OrdersThenCloseAsync(int orderCount, Consumer[] consumers, CancellationTokenSource closing)
    {
        await new OrderDesk(client).RunAsync(orderCount, closing.Token);
        try
        {
            var ends = await client.Admin.ListOffsetsAsync(AllPartitions().ToDictionary(p => p, _ => OffsetSpec.Latest), closing.Token);
            using var timer = new PeriodicTimer(LookInterval);
            while (!consumers.All(consumer => HasSeenAll(consumer, ends))) await timer.WaitForNextTickAsync(closing.Token);
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>Whether a consumer has been handed all records of the partitions that are its own.</summary>
    private static bool HasSeenAll(Consumer consumer, IReadOnlyDictionary<TopicPartition, ListedOffset> ends) =>
        consumer.Assignment.Count > 0 && consumer.Assignment.All(p => consumer.Position(p) is { } next && next >= ends[p].Offset);

    private static IEnumerable<TopicPartition> AllPartitions() =>
        from topic in new[] { Topics.Orders, Topics.Payments }
        from partition in Enumerable.Range(0, Topics.PartitionCount)
        select new TopicPartition(topic, partition);
}
