using System.Diagnostics;
using System.Globalization;
using OrleansLog.Benchmarks.Measuring;
using OrleansLog.Client;

namespace OrleansLog.Benchmarks.Tiered;

/// <summary>A topic most of which is in the store, read from its beginning, in turn with the store itself.</summary>
internal sealed class ColdReads(TieredBroker broker, IStoreReader store, BenchmarkOptions options)
{
    private const string Topic = "tiered";

    private readonly long _records = (long)(options.Gigabytes * 1e9 / TieredRecords.ValueBytes);

    public async Task RunAsync()
    {
        await FillAsync();
        var ratios = new List<double>();
        var table = new Table("round", store.Name + " MB/s", "a consumer, every byte checked, MB/s", "ratio");
        for (var round = 1; round <= options.Rounds; round++)
        {
            // Nothing of an earlier round is in the broker's memory, or marked as read before.
            broker.Restart();
            store.Forget();
            var direct = Megabytes(() => Task.FromResult(store.ReadAll()));
            store.Forget();
            await using var client = broker.Connect();
            var consumed = Megabytes(() => TieredRecords.ReadAsync(client, Topic, _records));
            ratios.Add(consumed / direct);
            table.Add(round.ToString(CultureInfo.InvariantCulture), Text.Fixed(direct, 0), Text.Fixed(consumed, 0), Text.Fixed(consumed / direct, 2));
        }

        Console.WriteLine($"cold reads of {_records:N0} records of {TieredRecords.ValueBytes} B, from offset 0, each once, in order, with its own bytes");
        table.Print(Console.Out);
        Console.WriteLine($"  cold read / the store itself = {Text.Fixed(Statistics.Median(ratios), 2)}; wanted: 0.80\n");
    }

    /// <summary>Has another process read the topic again and again until it is disposed.</summary>
    public Process StartReading() => broker.StartOlog("bench", "consume", "--topic", Topic);

    private async Task FillAsync()
    {
        var localBytes = (long)(options.LocalGigabytes * 1e9);
        await using var client = broker.Connect();
        await client.Admin.CreateTopicAsync(new NewTopic(Topic, 1, 1)
        {
            Configs = new Dictionary<string, string>
            {
                ["remote.storage.enable"] = "true",
                ["local.retention.bytes"] = localBytes.ToString(CultureInfo.InvariantCulture),
                ["segment.bytes"] = TieredBroker.SegmentBytes.ToString(CultureInfo.InvariantCulture),
                ["flush.messages"] = "9223372036854775807",
            },
        });
        var watch = Stopwatch.StartNew();
        await TieredRecords.WriteAsync(client, Topic, _records);
        Console.WriteLine($"{_records:N0} records written in {Text.Fixed(watch.Elapsed.TotalSeconds, 1)} s");
        await broker.AwaitStoredAsync(Topic, localBytes);
        Console.WriteLine($"all but the last segments stored after {Text.Fixed(watch.Elapsed.TotalSeconds, 1)} s; {Text.Megabytes(broker.BytesOnDisk(Topic))} on the broker's disk\n");
    }

    private static double Megabytes(Func<Task<long>> read)
    {
        var watch = Stopwatch.StartNew();
        return read().GetAwaiter().GetResult() / 1e6 / watch.Elapsed.TotalSeconds;
    }
}
