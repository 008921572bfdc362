using FoodDelivery;
using OrleansLog.Client;
using OrleansLog.Protocol;

if (Arguments.Parse(args) is not { } arguments)
{
    Console.Error.WriteLine(Arguments.Usage);
    return 2;
}
using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    interrupted.Cancel();
};

try
{
    // One client for the whole process: its producers, consumers and admin calls share connections.
    await using var client = new OrleansLogClient(new ClientOptions
    {
        BootstrapServers = arguments.Bootstrap,
        ClientId = "food-delivery",
        OperationTimeoutMs = 10_000,
    });
    var shop = new Shop(client);
    await shop.OpenAsync(interrupted.Token);
    await shop.RunAsync(arguments.Orders, interrupted.Token);
    return 0;
}
catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
{
    return 0;
}
catch (OrleansLogException e)
{
    Console.Error.WriteLine($"The shop had to close: {e.Message}");
    if (e.ErrorCode is ErrorCode.NetworkException or ErrorCode.RequestTimedOut)
        Console.Error.WriteLine("Does a broker run? Start one with: dotnet run --project Silo/OrleansLog.Silo");
    return 1;
}
