using System.Buffers;
using System.Globalization;
using System.Text;

namespace OrleansLog.Silo.Metrics;

/// <summary>
/// Writes metrics in Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
/// One per scrape; the buffer stays the caller's.
/// </summary>
public sealed class PrometheusWriter(IBufferWriter<byte> output)
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private static readonly SearchValues<char> Escaped = SearchValues.Create("\\\"\n");

    /// <summary>Writes one name with all its series. Instruments that share the name (of several brokers, say) share the heading.</summary>
    internal void Write(IReadOnlyList<MetricFamily> families, long scrape)
    {
        var series = families.SelectMany(f => f.SeriesAt(scrape).Select(s => (Family: f, Series: s))).ToList();
        if (series.Count == 0)
            return;
        Heading(families[0].Name, families[0].Description, families[0].Kind);
        foreach (var (family, one) in series)
        {
            if (family.Kind is MetricKind.Histogram)
                Histogram(family, one);
            else
                Sample(family.Name, one.Tags, null, one.Value);
        }
    }

    /// <summary>How many measurements were left out because their instruments had too many series.</summary>
    internal void WriteDropped(long count)
    {
        const string Name = "metrics_dropped_measurements_total";
        Heading(Name, "Measurements left out because their instrument has as many series as it may have.", MetricKind.Counter);
        Sample(Name, [], null, count);
    }

    private void Heading(string name, string description, MetricKind kind)
    {
        if (description.Length > 0)
            Text($"# HELP {name} {Plain(description)}\n");
        Text($"# TYPE {name} {kind switch { MetricKind.Counter => "counter", MetricKind.Gauge => "gauge", _ => "histogram" }}\n");
    }

    private void Histogram(MetricFamily family, Series series)
    {
        var count = 0L;
        var buckets = series.Buckets;
        for (var i = 0; i < buckets.Length; i++)
        {
            count += buckets[i];
            Sample(family.Name + "_bucket", series.Tags, i < family.Bounds.Length ? Number(family.Bounds[i]) : "+Inf", count);
        }
        Sample(family.Name + "_sum", series.Tags, null, series.Value);
        Sample(family.Name + "_count", series.Tags, null, count);
    }

    private void Sample(string name, KeyValuePair<string, object?>[] tags, string? le, double value)
    {
        Text(name);
        var separator = "{";
        foreach (var tag in tags)
        {
            Text($"{separator}{MetricName.OfLabel(tag.Key)}=\"");
            Label(Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "");
            Text("\"");
            separator = ",";
        }
        if (le is not null)
        {
            Text($"{separator}le=\"{le}\"");
            separator = ",";
        }
        Text(separator == "{" ? " " : "} ");
        Text(Number(value));
        Text("\n");
    }

    private void Label(string value) =>
        Text(value.AsSpan().IndexOfAny(Escaped) < 0
            ? value
            : Plain(value).Replace("\"", "\\\"", StringComparison.Ordinal));

    /// <summary>Backslashes and line ends as the format wants them everywhere.</summary>
    private static string Plain(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        double.NaN => "NaN",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private void Text(string text) => Encoding.UTF8.GetBytes(text, output);
}
