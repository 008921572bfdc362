using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace OrleansLog.Client.Hosting;

/// <summary>Reads topics while its host runs; each record has a service scope and a span of its own.</summary>
internal sealed class ConsumerService<TKey, TValue>(
    IServiceProvider services,
    Func<Consumer<TKey, TValue>> create,
    IReadOnlyList<string> topics,
    Func<IServiceProvider, ConsumedRecord<TKey, TValue>, CancellationToken, ValueTask> handle) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var consumer = create();
        consumer.Subscribe(topics);
        await foreach (var record in consumer.ConsumeAsync(stoppingToken))
        {
            await using var scope = services.CreateAsyncScope();
            using var span = record.StartProcessing();
            await handle(scope.ServiceProvider, record, stoppingToken);
        }
    }
}
