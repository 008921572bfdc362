using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Files;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Tiering;
using OrleansLog.Compression;
using OrleansLog.Replication.Brokers;

namespace OrleansLog.Broker.Nodes;

/// <summary>What one broker does now and then, for as long as it runs.</summary>
internal sealed class Housekeeping : IAsyncDisposable
{
    // How much later than asked a producer learns that its wait is over; and how often leaders are looked at that nobody
    // told of, for who is told looks at once.
    private static readonly TimeSpan WaitsInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LeadersInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BacklogInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BackupInterval = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public Housekeeping(
        PartitionTable partitions, BrokerReplicas replicas, RemoteBacklog? backlog, ClusterBackup? backup, PauseGate gate, ConfigValues config, TimeProvider time, ILogger logger)
    {
        var tidy = TimeSpan.FromMilliseconds(config.Get(BrokerConfigs.LogRetentionCheckIntervalMs));
        var clean = TimeSpan.FromMilliseconds(config.Get(BrokerConfigs.LogCleanerBackoffMs));
        var cleaners = config.Get(BrokerConfigs.LogCleanerEnable) ? config.Get(BrokerConfigs.LogCleanerThreads) : 0;
        var cleaning = NewCleaning(replicas, config, time);
        var scrubbing = NewScrubbing(replicas, config, time);
        var tier = TimeSpan.FromMilliseconds(config.Get(BrokerConfigs.RemoteLogManagerTaskIntervalMs));
        var preferred = TimeSpan.FromSeconds(config.Get(BrokerConfigs.LeaderImbalanceCheckIntervalSeconds));
        _running = Task.WhenAll(
            EachAsync(tidy, () => TidyAsync(partitions)),
            Task.WhenAll(Enumerable.Range(0, cleaners).Select(_ => EachAsync(clean, () => CleanAsync(cleaning, gate, _stop.Token)))),
            EachAsync(tier, () => TierAsync(partitions, _stop.Token)),
            EachAsync(BacklogInterval, () => Now(() => backlog?.Measure(partitions.All))),
            EachAsync(BackupInterval, () => backup?.StepAsync(_stop.Token) ?? Task.CompletedTask),
            EachAsync(WaitsInterval, () => Now(() => ExpireWaits(partitions))),
            EachAsync(LeadersInterval, () => Now(replicas.CheckLeaders)),
            EachAsync(Scrubbing.StepInterval, () => Now(() => StorageMetrics.Scrubbed(scrubbing.Step()))),
            config.Get(BrokerConfigs.AutoLeaderRebalanceEnable) ? EachAsync(preferred, replicas.LeadPreferredAsync) : Task.CompletedTask);

        async Task EachAsync(TimeSpan interval, Func<Task> work)
        {
            using var timer = new PeriodicTimer(interval, time);
            try
            {
                while (await timer.WaitForNextTickAsync(_stop.Token))
                {
                    await gate.PassAsync(_stop.Token);
                    await work();
                }
            }
            catch (OperationCanceledException)
            {
                logger.LogDebug("Housekeeping stops");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private static Scrubbing NewScrubbing(BrokerReplicas replicas, ConfigValues config, TimeProvider time)
    {
        var intervalMs = config.Get(BrokerConfigs.LogScrubIntervalMs);
        var interval = intervalMs < 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(intervalMs);
        return new Scrubbing(replicas, interval, config.Get(BrokerConfigs.LogScrubMaxBytesPerSecond), time);
    }

    private static Cleaning NewCleaning(BrokerReplicas replicas, ConfigValues config, TimeProvider time)
    {
        Span<ulong> seed = stackalloc ulong[2];
        RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(seed));
        return new Cleaning(
            replicas,
            new()
            {
                LogsAtOnce = config.Get(BrokerConfigs.LogCleanerThreads),
                KeyBytesMax = config.Get(BrokerConfigs.LogCleanerDedupeBufferSize),
                BytesPerSecondMax = (long)Math.Clamp(config.Get(BrokerConfigs.LogCleanerIoMaxBytesPerSecond), 1, long.MaxValue),
                Compressors = CompressionCodecs.For,
                HashSeed = (seed[0], seed[1]),
            },
            time);
    }

    private static async Task CleanAsync(Cleaning cleaning, PauseGate gate, CancellationToken cancellationToken)
    {
        // Away from the timer that called, on a thread of the pool's like any other work.
        await Task.Yield();
        while (await cleaning.StepAsync(cancellationToken) is { } done)
        {
            StorageMetrics.Compacted(done);
            await gate.PassAsync(cancellationToken);
        }
    }

    private static async Task TidyAsync(PartitionTable partitions)
    {
        foreach (var partition in partitions.All)
            await partition.TidyAsync();
    }

    private static async Task TierAsync(PartitionTable partitions, CancellationToken cancellationToken)
    {
        foreach (var partition in partitions.All)
            await partition.TierAsync(cancellationToken);
    }

    private static void ExpireWaits(PartitionTable partitions)
    {
        foreach (var partition in partitions.All)
            partition.ExpireWaits();
    }

    private static Task Now(Action work)
    {
        work();
        return Task.CompletedTask;
    }
}
