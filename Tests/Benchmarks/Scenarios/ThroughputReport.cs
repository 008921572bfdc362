using OrleansLog.Benchmarks.Measuring;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>Prints the medians of interleaved rounds, and the ratio of the broker under test to the best of its peers.</summary>
internal static class ThroughputReport
{
    public static void Print(string title, int recordBytes, IEnumerable<Measurement> measurements)
    {
        Console.WriteLine(title);
        var brokers = measurements.GroupBy(m => m.Broker).ToArray();
        var table = new Table("broker", "records/s", "lowest", "highest", "MB/s", "broker µs/record", "client µs/record");
        foreach (var rounds in brokers)
        {
            var rate = MedianRate(rounds);
            table.Add(
                rounds.Key,
                Text.Rate(rate),
                Text.Rate(rounds.Min(m => m.RecordsPerSecond)),
                Text.Rate(rounds.Max(m => m.RecordsPerSecond)),
                Text.Fixed(rate * recordBytes / 1e6, 0),
                Text.Fixed(Statistics.Median(rounds.Select(m => m.BrokerMicrosecondsPerRecord)), 3),
                Text.Fixed(Statistics.Median(rounds.Select(m => m.ClientMicrosecondsPerRecord)), 3));
        }

        table.Print(Console.Out);
        PrintRatio(brokers);
    }

    private static double MedianRate(IEnumerable<Measurement> rounds) => Statistics.Median(rounds.Select(m => m.RecordsPerSecond));

    private static void PrintRatio(IGrouping<string, Measurement>[] brokers)
    {
        var ours = brokers.FirstOrDefault(rounds => rounds.First().IsOurs);
        var best = brokers.Where(rounds => !rounds.First().IsOurs).MaxBy(MedianRate);
        if (ours is not null && best is not null)
        {
            Console.WriteLine($"  {ours.Key} / {best.Key} (the best of its peers) = {Text.Fixed(MedianRate(ours) / MedianRate(best), 2)}\n");
        }
    }
}
