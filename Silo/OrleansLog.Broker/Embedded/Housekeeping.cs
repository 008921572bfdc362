using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Partitions;

namespace OrleansLog.Broker.Embedded;

/// <summary>Tidies every partition in turn, each <c>log.retention.check.interval.ms</c>.</summary>
internal sealed class Housekeeping : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public Housekeeping(IEnumerable<PartitionStore> stores, ConfigValues config, TimeProvider time, ILogger<Housekeeping> logger)
    {
        var interval = TimeSpan.FromMilliseconds(config.Get(BrokerConfigs.LogRetentionCheckIntervalMs));
        _running = RunAsync([.. stores], interval, time, logger);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync(PartitionStore[] stores, TimeSpan interval, TimeProvider time, ILogger logger)
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                foreach (var partition in stores.SelectMany(store => store.Led.All))
                    await partition.TidyAsync();
            }
        }
        catch (OperationCanceledException)
        {
            logger.LogDebug("Housekeeping stops");
        }
    }
}
