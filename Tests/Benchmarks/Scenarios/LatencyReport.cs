using OrleansLog.Benchmarks.Measuring;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>Prints the medians over rounds of each quantile, in milliseconds, and how the p99 compares.</summary>
internal static class LatencyReport
{
    public static void Print(string title, IEnumerable<LatencyResult> results)
    {
        Console.WriteLine(title);
        var brokers = results.GroupBy(r => r.Broker).ToArray();
        var table = new Table("broker", "p50 ms", "p99 ms", "p99.9 ms", "worst ms", "p99 of each round", "missing");
        foreach (var rounds in brokers)
        {
            table.Add(
                rounds.Key,
                Median(rounds, r => r.P50),
                Median(rounds, r => r.P99),
                Median(rounds, r => r.P999),
                Text.Fixed(rounds.Max(r => r.Worst), 2),
                string.Join(' ', rounds.Select(r => Text.Fixed(r.P99, 2))),
                Text.Fixed(rounds.Sum(r => r.Missing), 0));
        }

        table.Print(Console.Out);
        PrintRatio(brokers);
    }

    private static void PrintRatio(IGrouping<string, LatencyResult>[] brokers)
    {
        var ours = brokers.FirstOrDefault(rounds => rounds.First().IsOurs);
        var best = brokers.Where(rounds => !rounds.First().IsOurs).MinBy(P99);
        if (ours is not null && best is not null)
        {
            Console.WriteLine($"  p99 of {ours.Key} / {best.Key} (the best of its peers) = {Text.Fixed(P99(ours) / P99(best), 2)}; smaller is better\n");
        }
    }

    private static double P99(IEnumerable<LatencyResult> rounds) => Statistics.Median(rounds.Select(r => r.P99));

    private static string Median(IEnumerable<LatencyResult> rounds, Func<LatencyResult, double> value) =>
        Text.Fixed(Statistics.Median(rounds.Select(value)), 3);
}
