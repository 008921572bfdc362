using OrleansLog.Client;

namespace FoodDelivery;

/// <summary>Takes orders and, a little later, their payments: the producer of both topics.</summary>
internal sealed class OrderDesk(OrleansLogClient client)
{
    private static readonly TimeSpan BetweenOrders = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan SlowestPayment = TimeSpan.FromMilliseconds(1500);
    private const double DeclinedShare = 0.1;
    private const string IdLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    private const int IdLength = 6;
    private const int PortionsMax = 4;

    private static readonly string[] Streets = ["Mill Lane", "Harbour Road", "Castle Street", "Orchard Way", "Station Square"];

    /// <summary>Takes so many orders, or fewer when cancelled. Whoever has ordered may still pay.</summary>
    public async Task RunAsync(int orderCount, CancellationToken cancellationToken)
    {
        // Two typed producers of one client share its connections. By default a record counts as delivered when every
        // in-sync replica has it.
        await using var orders = client.CreateProducer(valueSerializer: Topics.OrderJson, keySerializer: Serdes.Utf8);
        await using var payments = client.CreateProducer(valueSerializer: Topics.PaymentJson, keySerializer: Serdes.Utf8);
        using var timer = new PeriodicTimer(BetweenOrders);
        var paying = new List<Task>();
        try
        {
            for (var i = 0; i < orderCount && await timer.WaitForNextTickAsync(cancellationToken); i++)
            {
                var order = Invent();
                var stored = await orders.ProduceAsync(Topics.Orders, order.Id, order, CancellationToken.None);
                Say.Line("order", order.Id, $"{order.Portions} x {order.Dish} to {order.Address}   [{stored.Topic}-{stored.Partition} at {stored.Offset}]");
                paying.Add(PayLaterAsync(payments, order));
            }
        }
        catch (OperationCanceledException)
        {
        }
        await Task.WhenAll(paying);
    }

    private static async Task PayLaterAsync(Producer<string, Payment> payments, Order order)
    {
        await Task.Delay(SlowestPayment * Random.Shared.NextDouble());
        var isAccepted = Random.Shared.NextDouble() >= DeclinedShare;
        var amount = Menu.Find(order.Dish).Price * order.Portions;
        var payment = new Payment(order.Id, order.Dish, order.Portions, amount, isAccepted);
        await payments.ProduceAsync(Topics.Payments, order.Id, payment);
        Say.Line("payment", order.Id, $"{amount} {(isAccepted ? "paid" : "declined")}");
    }

    private static Order Invent()
    {
        var random = Random.Shared;
        return new Order(
            random.GetString(IdLetters, IdLength),
            Menu.Dishes[random.Next(Menu.Dishes.Count)].Name,
            random.Next(1, PortionsMax),
            $"{random.Next(1, 100)} {Streets[random.Next(Streets.Length)]}");
    }
}
