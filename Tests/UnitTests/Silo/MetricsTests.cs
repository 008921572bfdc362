using System.Buffers;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using OrleansLog.Silo.Metrics;

namespace OrleansLog.UnitTests.Silo;

public sealed class MetricsTests : IDisposable
{
    private readonly Meter _meter = new($"test-{Guid.NewGuid()}");
    private readonly MetricCollector _collector;

    public MetricsTests() => _collector = new MetricCollector(name => name == _meter.Name, seriesMax: 3);

    public void Dispose()
    {
        _collector.Dispose();
        _meter.Dispose();
    }

    private static KeyValuePair<string, object?> Tag(string key, object? value) => new(key, value);

    private string[] Scrape()
    {
        var buffer = new ArrayBufferWriter<byte>();
        _collector.Write(new PrometheusWriter(buffer));
        var text = Encoding.UTF8.GetString(buffer.WrittenSpan);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        return [.. text.Split('\n')[..^1].Where(line => !line.Contains("metrics_dropped", StringComparison.Ordinal))];
    }

    [Fact]
    public void A_counter_adds_up_per_set_of_tags()
    {
        var counter = _meter.CreateCounter<long>("kafka.requests", "{request}", "Requests answered");
        counter.Add(2, Tag("api", "Produce"));
        counter.Add(3, Tag("api", "Produce"));
        counter.Add(1, Tag("api", "Fetch"), Tag("error.code", 1));

        Assert.Equal(
            [
                "# HELP kafka_requests_total Requests answered",
                "# TYPE kafka_requests_total counter",
                "kafka_requests_total{api=\"Fetch\",error_code=\"1\"} 1",
                "kafka_requests_total{api=\"Produce\"} 5",
            ],
            Scrape().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Counters_from_many_threads_lose_nothing()
    {
        var counter = _meter.CreateCounter<int>("n");
        Parallel.For(0, 10_000, i => counter.Add(1, Tag("odd", i % 2)));

        Assert.Equal(["n_total{odd=\"0\"} 5000", "n_total{odd=\"1\"} 5000"], Scrape().Where(l => l[0] != '#').Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Up_down_counters_and_gauges_are_gauges()
    {
        var open = _meter.CreateUpDownCounter<int>("connections");
        open.Add(5);
        open.Add(-2);
        var load = _meter.CreateGauge<double>("load");
        load.Record(7);
        load.Record(0.25);

        Assert.Equal(["# TYPE connections gauge", "connections 3", "# TYPE load gauge", "load 0.25"], Scrape());
    }

    [Fact]
    public void A_histogram_counts_cumulatively_into_fixed_buckets()
    {
        var sizes = _meter.CreateHistogram("batch", "By", null, null, new InstrumentAdvice<long> { HistogramBucketBoundaries = [10, 100] });
        foreach (var size in new long[] { 1, 10, 11, 1000 })
            sizes.Record(size, Tag("topic", "a"));

        Assert.Equal(
            [
                "# TYPE batch_bytes histogram",
                "batch_bytes_bucket{topic=\"a\",le=\"10\"} 2",
                "batch_bytes_bucket{topic=\"a\",le=\"100\"} 3",
                "batch_bytes_bucket{topic=\"a\",le=\"+Inf\"} 4",
                "batch_bytes_sum{topic=\"a\"} 1022",
                "batch_bytes_count{topic=\"a\"} 4",
            ],
            Scrape());
    }

    [Fact]
    public void A_histogram_of_seconds_sees_a_flush_and_a_long_poll()
    {
        _meter.CreateHistogram<double>("wait", "s").Record(0.0003);

        var lines = Scrape();

        Assert.Contains("wait_seconds_bucket{le=\"0.00025\"} 0", lines);
        Assert.Contains("wait_seconds_bucket{le=\"0.0005\"} 1", lines);
        Assert.Contains("wait_seconds_bucket{le=\"30\"} 1", lines);
    }

    [Fact]
    public void An_observed_instrument_is_asked_at_each_scrape_and_what_it_no_longer_names_is_gone()
    {
        var sizes = new Dictionary<string, long> { ["a"] = 1, ["b"] = 2 };
        _meter.CreateObservableGauge("size", () => sizes.Select(s => new Measurement<long>(s.Value, Tag("topic", s.Key))));
        Assert.Equal(2, Scrape().Count(l => l[0] != '#'));

        sizes.Remove("a");
        sizes["b"] = 5;

        Assert.Equal(["# TYPE size gauge", "size{topic=\"b\"} 5"], Scrape());
    }

    [Fact]
    public void Topics_that_come_and_go_do_not_use_up_the_series()
    {
        var topic = 0;
        _meter.CreateObservableGauge("size", () => new Measurement<long>(1, Tag("topic", topic)));
        for (topic = 0; topic < 10; topic++)
            Assert.Equal(["# TYPE size gauge", $"size{{topic=\"{topic}\"}} 1"], Scrape());
    }

    [Fact]
    public void Too_many_series_are_left_out_and_counted()
    {
        var counter = _meter.CreateCounter<long>("n");
        for (var i = 0; i < 5; i++)
            counter.Add(1, Tag("i", i));
        var buffer = new ArrayBufferWriter<byte>();

        _collector.Write(new PrometheusWriter(buffer));

        var lines = Encoding.UTF8.GetString(buffer.WrittenSpan).Split('\n');
        Assert.Equal(3, lines.Count(l => l.StartsWith("n_total{", StringComparison.Ordinal)));
        Assert.Contains("metrics_dropped_measurements_total 2", lines);
    }

    [Fact]
    public void Labels_and_help_are_escaped()
    {
        _meter.CreateGauge<int>("g", null, "a \\ and\nb \"c\"").Record(1, Tag("k", "a\\\"b\nc 🙂"), Tag("none", null));

        Assert.Equal(["# HELP g a \\\\ and\\nb \"c\"", "# TYPE g gauge", "g{k=\"a\\\\\\\"b\\nc 🙂\",none=\"\"} 1"], Scrape());
    }

    [Theory]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(1e300, "1E+300")]
    [InlineData(-0.5, "-0.5")]
    public void Numbers_are_written_as_the_format_wants(double value, string expected)
    {
        _meter.CreateGauge<double>("g").Record(value);

        Assert.Contains($"g {expected}", Scrape());
    }

    [Theory]
    [InlineData("a.b-c", null, "gauge", "a_b_c")]
    [InlineData("9lives", null, "gauge", "_9lives")]
    [InlineData("size.bytes", "By", "gauge", "size_bytes")]
    [InlineData("time", "s", "counter", "time_seconds_total")]
    [InlineData("n.total", "1", "counter", "n_total")]
    [InlineData("requests", "{request}", "gauge", "requests")]
    public void Names_take_prometheus_form(string name, string? unit, string kind, string expected) =>
        Assert.Equal(expected, MetricName.Of(name, unit, Enum.Parse<MetricKind>(kind, ignoreCase: true)));

    [Fact]
    public void A_measurement_under_known_tags_allocates_nothing()
    {
        var counter = _meter.CreateCounter<long>("n");
        var tags = new TagList { { "api", "Produce" }, { "topic", "orders" } };
        counter.Add(1, tags);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            counter.Add(1, tags);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void The_runtimes_own_meter_tells_what_is_allocated()
    {
        using var runtime = new MetricCollector(name => name == "System.Runtime");
        var buffer = new ArrayBufferWriter<byte>();

        runtime.Write(new PrometheusWriter(buffer));

        Assert.Contains("\ndotnet_gc_heap_total_allocated_bytes_total ", Encoding.UTF8.GetString(buffer.WrittenSpan), StringComparison.Ordinal);
    }
}
