using System.Globalization;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>Counters of our broker, read from its Prometheus text (/metrics).</summary>
internal sealed class Metrics(int httpPort) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = new Uri($"http://127.0.0.1:{httpPort}") };

    /// <summary>The sum over all label sets of every metric whose name holds each of <paramref name="parts"/>; null if none does.</summary>
    public double? Sum(params string[] parts)
    {
        var values = ReadLines()
            .Where(line => !line.StartsWith('#') && line.Contains(' ', StringComparison.Ordinal))
            .Where(line => parts.All(part => line.Split('{', ' ')[0].Contains(part, StringComparison.Ordinal)))
            .Select(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture))
            .ToArray();
        return values.Length == 0 ? null : values.Sum();
    }

    public void Dispose() => _http.Dispose();

    private string[] ReadLines()
    {
        try
        {
            return _http.GetStringAsync("/metrics").GetAwaiter().GetResult().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (HttpRequestException)
        {
            return [];
        }
    }
}
