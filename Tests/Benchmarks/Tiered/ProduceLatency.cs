using System.Diagnostics;
using System.Globalization;
using OrleansLog.Benchmarks.Measuring;
using OrleansLog.Client;

namespace OrleansLog.Benchmarks.Tiered;

/// <summary>
/// From the moment at which a record is due to its acknowledgement, at a fixed rate: into a topic that is not stored, into one that is
/// being stored meanwhile, and into that one while somebody reads cold records. Each record is durable before it is acknowledged.
/// </summary>
internal sealed class ProduceLatency(TieredBroker broker, Func<Process> startReading, BenchmarkOptions options)
{
    private const double WarmupSeconds = 1;
    private const int SegmentBytes = 8 << 20;
    private const int DueRecordsMax = 512;
    private const string Plain = "plain", Stored = "stored";

    private static readonly string[] Cases = ["tiering off", "tiering on", "tiering on, a cold read beside it"];

    public async Task RunAsync()
    {
        await using var client = broker.Connect();
        await CreateAsync(client, Plain, isStored: false);
        await CreateAsync(client, Stored, isStored: true);
        foreach (var rate in options.RecordsPerSecond)
        {
            var rounds = Cases.Select(_ => new List<(double P50, double P99)>()).ToArray();
            for (var round = -1; round < options.Rounds; round++)
            {
                for (var which = 0; which < Cases.Length; which++)
                {
                    var measured = await RoundAsync(client, which, rate);
                    if (round >= 0)
                    {
                        rounds[which].Add(measured);
                    }
                }
            }

            Print(rate, rounds);
        }
    }

    private async Task<(double P50, double P99)> RoundAsync(OrleansLogClient client, int which, int rate)
    {
        using var reading = which == 2 ? startReading() : null;
        try
        {
            return await MeasureAsync(client, which == 0 ? Plain : Stored, rate);
        }
        finally
        {
            reading?.Kill();
            reading?.WaitForExit();
        }
    }

    private async Task<(double P50, double P99)> MeasureAsync(OrleansLogClient client, string topic, int rate)
    {
        var (skipped, total) = ((int)(WarmupSeconds * rate), (int)((options.Seconds + WarmupSeconds) * rate));
        await using var producer = client.CreateProducer();
        var (due, acknowledged) = (new long[total], new Task<long>[total]);
        var pacing = new Thread(() => SendAll(producer, topic, rate, due, acknowledged));
        pacing.Start();
        while (pacing.IsAlive)
        {
            await Task.Delay(10);
        }

        var times = await Task.WhenAll(acknowledged);
        var latencies = new LatencyRecorder(total - skipped);
        for (var i = skipped; i < total; i++)
        {
            latencies.Add(due[i], times[i]);
        }

        return (latencies.Milliseconds(0.5), latencies.Milliseconds(0.99));
    }

    private static void SendAll(Producer producer, string topic, int rate, long[] due, Task<long>[] acknowledged)
    {
        var pacer = new Pacer(rate);
        var value = new byte[TieredRecords.ValueBytes];
        for (var sent = 0; sent < due.Length;)
        {
            var count = pacer.TakeDue(due.AsSpan(sent, Math.Min(DueRecordsMax, due.Length - sent)));
            for (var i = sent; i < sent + count; i++)
            {
                acknowledged[i] = TimeOfAsync(producer.ProduceAsync(topic, value));
            }

            sent += count;
        }
    }

    private static async Task<long> TimeOfAsync(ValueTask<RecordMetadata> produced)
    {
        await produced;
        return Stopwatch.GetTimestamp();
    }

    private static Task CreateAsync(OrleansLogClient client, string topic, bool isStored) => client.Admin.CreateTopicAsync(new NewTopic(topic, 1, 1)
    {
        Configs = new Dictionary<string, string>
        {
            ["segment.bytes"] = SegmentBytes.ToString(CultureInfo.InvariantCulture),
            ["remote.storage.enable"] = isStored ? "true" : "false",
            ["local.retention.bytes"] = isStored ? SegmentBytes.ToString(CultureInfo.InvariantCulture) : "-2",
        },
    });

    private static void Print(int rate, List<(double P50, double P99)>[] rounds)
    {
        Console.WriteLine($"produce: {rate} records/s of {TieredRecords.ValueBytes} B, flush, acks=all, due to acknowledged");
        var table = new Table("", "p50 ms", "p99 ms", "p99 / tiering off", "p99 of each round");
        for (var which = 0; which < Cases.Length; which++)
        {
            table.Add(
                Cases[which], Text.Fixed(Statistics.Median(rounds[which].Select(r => r.P50)), 3), Text.Fixed(P99(rounds[which]), 3),
                Text.Fixed(P99(rounds[which]) / P99(rounds[0]), 2), string.Join(' ', rounds[which].Select(r => Text.Fixed(r.P99, 2))));
        }

        table.Print(Console.Out);
    }

    private static double P99(List<(double P50, double P99)> rounds) => Statistics.Median(rounds.Select(r => r.P99));
}
