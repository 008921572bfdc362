using OrleansLog.Cli;
using OrleansLog.Cli.Commands;
using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.UnitTests.Cli;

public class OutputTests
{
    [Fact]
    public void Tables_are_aligned_text_where_nobody_watches()
    {
        var table = new TextTable("TOPIC", ">PARTITIONS", "KIND");
        table.Add("orders", "3", "data");
        table.Add("a", "12", "");
        Assert.Equal(
            ["TOPIC   PARTITIONS  KIND", "orders           3  data", "a               12", ""],
            Render(table, isTerminal: false).Split(Environment.NewLine));
    }

    [Fact]
    public void Tables_are_drawn_where_somebody_watches_and_cells_are_never_markup()
    {
        var table = new TextTable("TOPIC");
        table.Add("[red]orders[/]");
        var drawn = Render(table, isTerminal: true);
        Assert.Contains("[red]orders[/]", drawn, StringComparison.Ordinal);
        Assert.Contains('│', drawn);
    }

    [Theory]
    [InlineData(999, "999 B")]
    [InlineData(1_500, "1.5 kB")]
    [InlineData(2_340_000, "2.3 MB")]
    [InlineData(7_890_000_000, "7.89 GB")]
    public void Bytes_are_in_decimal_units(long bytes, string expected) => Assert.Equal(expected, Units.Bytes(bytes));

    [Fact]
    public void Throughput_is_one_line() => Assert.Equal(
        "5,000 records (500.0 kB) in 2.00 s: 2,500 records/s, 250.0 kB/s",
        Units.Throughput(5_000, 500_000, TimeSpan.FromSeconds(2)));

    [Fact]
    public void Percentiles_are_nearest_ranks()
    {
        var percentiles = new Percentiles();
        var ticksPerMs = System.Diagnostics.Stopwatch.Frequency / 1000;
        foreach (var ms in Enumerable.Range(1, 1000).Reverse()) percentiles.Add(ms * ticksPerMs);
        Assert.Equal("p50 500.00 ms, p90 900.00 ms, p99 990.00 ms, p99.9 999.00 ms, max 1000.00 ms", percentiles.ToString());
    }

    [Theory]
    [InlineData("earliest", 10)]
    [InlineData("latest", 100)]
    [InlineData("50", 50)]
    [InlineData("3", 10)]
    [InlineData("500", 100)]
    [InlineData("-5", 95)]
    [InlineData("-500", 10)]
    public async Task A_start_stays_within_what_is_there(string text, long expected)
    {
        var partition = new TopicPartition("t", 0);
        var ranges = new OffsetRanges(At(partition, 10), At(partition, 100));
        var starts = await StartPosition.Parse("--to", text).ResolveAsync(null!, [partition], ranges, CancellationToken.None);
        Assert.Equal(new Offset(expected), starts[partition]);
    }

    [Fact]
    public void A_reading_ends_when_its_last_partition_does()
    {
        using var stop = new CancellationTokenSource();
        var (a, b, empty) = (new TopicPartition("t", 0), new TopicPartition("t", 1), new TopicPartition("t", 2));
        var end = new EndOfReading(new Dictionary<TopicPartition, Offset> { [a] = new(5), [b] = new(7), [empty] = new(0) }, stop);
        end.Begin([new(a, new(0)), new(b, new(3)), new(empty, new(0))]);
        Assert.False(stop.IsCancellationRequested);
        end.Abandon([b]);
        end.Begin([new(a, new(5))]);
        Assert.False(stop.IsCancellationRequested);
        end.Abandon([a]);
        end.Begin([]);
        Assert.True(stop.IsCancellationRequested);
    }

    private static Dictionary<TopicPartition, ListedOffset> At(TopicPartition partition, long offset) =>
        new() { [partition] = new(new(offset), -1, LeaderEpoch.None, ErrorCode.None) };

    private static string Render(TextTable table, bool isTerminal)
    {
        using var output = new StringWriter();
        table.WriteTo(new Terminal { Output = output, OpenInput = () => Stream.Null, OpenOutput = () => Stream.Null, OutputIsTerminal = isTerminal });
        return output.ToString();
    }
}
