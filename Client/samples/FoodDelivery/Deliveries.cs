using OrleansLog.Client;
using OrleansLog.Protocol;

namespace FoodDelivery;

/// <summary>
/// Lists what to deliver: each order whose payment was accepted. It reads both topics and keeps in memory what waits
/// for its other half. What it commits is the oldest record that still waits, so that a restart reads all of them
/// again: nothing is forgotten, and after a crash an order may be listed twice (at least once).
/// </summary>
internal sealed class Deliveries(OrleansLogClient client) : IRebalanceListener
{
    private const int CommitEvery = 20;

    private static readonly ConsumerOptions Options = new()
    {
        GroupId = "delivery",
        OffsetReset = OffsetReset.Earliest,
        Commit = CommitMode.Manual,
    };

    // The two topics hold different types, so values come as bytes and the topic decides how to read them.
    private readonly Consumer<string, byte[]> _consumer = client.CreateConsumer(Options, Serdes.Utf8, Serdes.ByteArray);
    private readonly Dictionary<string, Waiting<Order>> _unpaid = [];
    private readonly Dictionary<string, Waiting<Payment>> _early = [];
    private readonly Dictionary<TopicPartition, Offset> _next = [];

    public Consumer Consumer => _consumer;

    /// <summary>Reads until cancelled; then commits and leaves the group.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using (_consumer)
        {
            _consumer.Subscribe([Topics.Orders, Topics.Payments], this);
            try
            {
                await foreach (var record in _consumer.ConsumeAsync(cancellationToken)) await HandleAsync(record);
            }
            catch (OperationCanceledException)
            {
            }
            await CommitAsync(CancellationToken.None);
        }
    }

    /// <summary>Partitions go to another member: it reads again, from our commit on, what waits here.</summary>
    public async ValueTask OnRevokedAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        await CommitAsync(cancellationToken);
        Forget(partitions);
    }

    public ValueTask OnLostAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        Forget(partitions);
        return default;
    }

    private async ValueTask HandleAsync(ConsumedRecord<string, byte[]> record)
    {
        _next[record.TopicPartition] = record.Offset + 1;
        if (record.Topic == Topics.Orders) Take(new Waiting<Order>(record.TopicPartition, record.Offset, Topics.OrderJson.Deserialize(record.Value)));
        else Take(new Waiting<Payment>(record.TopicPartition, record.Offset, Topics.PaymentJson.Deserialize(record.Value)));
        if (record.Offset.Value % CommitEvery == 0) await CommitAsync(CancellationToken.None);
    }

    private void Take(Waiting<Order> order)
    {
        if (_early.Remove(order.Event.Id, out var payment)) Decide(order.Event, payment.Event);
        else _unpaid[order.Event.Id] = order;
    }

    private void Take(Waiting<Payment> payment)
    {
        if (_unpaid.Remove(payment.Event.OrderId, out var order)) Decide(order.Event, payment.Event);
        else _early[payment.Event.OrderId] = payment;
    }

    private static void Decide(Order order, Payment payment)
    {
        if (payment.IsAccepted) Say.Line("DELIVER", order.Id, $"{order.Portions} x {order.Dish} to {order.Address}");
        else Say.Line("cancelled", order.Id, $"was not paid");
    }

    private ValueTask CommitAsync(CancellationToken cancellationToken)
    {
        var positions = _next.Select(n => new TopicPartitionOffset(n.Key, OldestNeeded(n.Key, n.Value)));
        return _consumer.CommitAsync([.. positions], cancellationToken);
    }

    private Offset OldestNeeded(TopicPartition partition, Offset next)
    {
        var orders = _unpaid.Values.Where(w => w.Partition == partition).Select(w => w.Offset);
        var payments = _early.Values.Where(w => w.Partition == partition).Select(w => w.Offset);
        return orders.Concat(payments).Append(next).Min();
    }

    private void Forget(IReadOnlyCollection<TopicPartition> partitions)
    {
        foreach (var (id, waiting) in _unpaid)
            if (partitions.Contains(waiting.Partition)) _unpaid.Remove(id);
        foreach (var (id, waiting) in _early)
            if (partitions.Contains(waiting.Partition)) _early.Remove(id);
        foreach (var partition in partitions) _next.Remove(partition);
    }

    /// <summary>One half of an order, and where it was read.</summary>
    private readonly record struct Waiting<T>(TopicPartition Partition, Offset Offset, T Event);
}
