using System.Text;
using OrleansLog.Cli;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Cli;

/// <summary>Commands against a broker in the same process.</summary>
public sealed class CommandTests : IAsyncLifetime
{
    private TestBroker _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await TestBroker.StartAsync(config: ("group.initial.rebalance.delay.ms", "0"));

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task Any_bytes_come_back_line_by_line_as_they_went_in()
    {
        var random = new Random(7);
        var input = new byte[300_000];
        random.NextBytes(input);
        input[^1] = (byte)'\n';
        await Succeed("topics create odd");
        var produced = await Succeed("produce odd", input);
        Assert.StartsWith($"Produced {input.Count(b => b == '\n'):N0} records", produced.Error, StringComparison.Ordinal);
        Assert.Equal("", produced.Text);
        var consumed = await Succeed("consume odd --from-beginning --exit-at-end");
        Assert.Equal(input, consumed.Records);
        Assert.Equal(("", ""), (consumed.Text, consumed.Error));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task Compressed_lines_come_back_too(string compression)
    {
        var input = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 5000).Select(i => $"line {i}\n")));
        await Succeed("topics create squeezed");
        await Succeed($"produce squeezed --compression {compression}", input);
        Assert.Equal(input, (await Succeed("consume squeezed --from-beginning --exit-at-end")).Records);
    }

    [Fact]
    public async Task Keys_headers_and_nulls_survive_a_copy_through_json()
    {
        await Succeed("topics create a --partitions 2");
        await Succeed("topics create b --partitions 2");
        await Succeed("produce a --format key-value --header h=x --null NULL", "k:v\nj:NULL\nNULL:w\n"u8.ToArray());
        var json = await Succeed("consume a --from-beginning --exit-at-end --format json");
        await Succeed("produce b --format json", json.Records);
        var copy = await Succeed("consume b --from-beginning --exit-at-end --format json");
        Assert.Equal(Sorted(json.RecordText.Replace("\"topic\":\"a\"", "\"topic\":\"b\"", StringComparison.Ordinal)), Sorted(copy.RecordText));
        Assert.Contains("\"headers\":[{\"key\":\"h\",\"value\":\"x\"}]", copy.RecordText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_line_stops_producing_is_named_and_costs_none_before_it()
    {
        await Succeed("topics create a");
        var run = await Run("produce a --format key-value", "k:1\noops\nk:2\n"u8.ToArray());
        Assert.Equal(ExitCode.Failure, run.ExitCode);
        Assert.StartsWith("olog: line 2 has no ':'", run.Error, StringComparison.Ordinal);
        Assert.Contains("Produced 1 record before that.", run.Error, StringComparison.Ordinal);
        Assert.Equal("1\n", (await Succeed("consume a --from-beginning --exit-at-end")).RecordText);
    }

    [Fact]
    public async Task A_record_that_the_broker_refuses_fails_the_command()
    {
        await Succeed("topics create a --config max.message.bytes=1000");
        var run = await Run("produce a", new byte[5000]);
        Assert.Equal(ExitCode.Failure, run.ExitCode);
        Assert.Contains("max.message.bytes", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--offset 3 --exit-at-end", "d\ne\n")]
    [InlineData("--offset -2 --exit-at-end", "d\ne\n")]
    [InlineData("--offset latest --exit-at-end", "")]
    [InlineData("--from-beginning --max 2", "a\nb\n")]
    [InlineData("--from-beginning --max 0", "")]
    [InlineData("--from-beginning --exit-at-end --max 99", "a\nb\nc\nd\ne\n")]
    [InlineData("--from-time 2000-01-01T00:00:00Z --exit-at-end --max 1 --with-offsets", "0\t0\ta\n")]
    [InlineData("--from-time 2999-01-01T00:00:00Z --exit-at-end", "")]
    [InlineData("--exit-at-end", "")]
    public async Task Reading_starts_and_stops_where_it_is_told(string options, string expected)
    {
        await Succeed("topics create a");
        await Succeed("produce a", "a\nb\nc\nd\ne"u8.ToArray());
        Assert.Equal(expected, (await Succeed($"consume a {options}")).RecordText);
    }

    [Fact]
    public async Task A_group_goes_on_where_it_stopped_and_can_be_moved()
    {
        await Succeed("topics create a");
        await Succeed("produce a", "1\n2\n3\n4\n"u8.ToArray());
        Assert.Equal("1\n2\n3\n", (await Succeed("consume a --group g --from-beginning --max 3")).RecordText);
        Assert.Equal("4\n", (await Succeed("consume a --group g --exit-at-end")).RecordText);
        Assert.Equal("", (await Succeed("consume a --group g --exit-at-end")).RecordText);
        Assert.Equal(["a", "0", "4", "4", "0", "-"], LastRow(await Succeed("groups describe g")));

        Assert.Contains("nothing is changed yet", (await Succeed("groups reset-offsets g --topic a --to earliest")).Error, StringComparison.Ordinal);
        Assert.Equal("", (await Succeed("consume a --group g --exit-at-end")).RecordText);
        Assert.Equal(["a", "0", "4", "2"], LastRow(await Succeed("groups reset-offsets g --topic a --shift-by -2 --execute")));
        Assert.Equal("3\n4\n", (await Succeed("consume a --group g --exit-at-end")).RecordText);

        Assert.Equal(["g", "Empty", "classic", "consumer"], LastRow(await Succeed("groups list")));
        await Succeed("groups delete g");
        Assert.Contains("there is no group 'g'", (await Run("groups describe g")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_of_the_consumer_protocol_is_read_described_and_moved()
    {
        await Succeed("topics create a --partitions 1");
        await Succeed("produce a", "1\n2\n3\n4\n"u8.ToArray());
        Assert.Equal("1\n2\n3\n", (await Succeed("consume a --group g --protocol consumer --from-beginning --max 3")).RecordText);
        Assert.Equal("4\n", (await Succeed("consume a --group g --protocol consumer --exit-at-end")).RecordText);
        var described = await Succeed("groups describe g");
        Assert.StartsWith("Group g: Empty, consumer, epoch ", described.Text, StringComparison.Ordinal);
        Assert.Equal(["a", "0", "4", "4", "0", "-"], LastRow(described));
        Assert.Equal(["g", "Empty", "consumer", "consumer"], LastRow(await Succeed("groups list --type consumer --state empty")));
        Assert.DoesNotContain("consumer", (await Succeed("groups list --type classic")).Text, StringComparison.Ordinal);

        Assert.Contains("nothing is changed yet", (await Succeed("groups reset-offsets g --topic a --to-earliest --dry-run")).Error, StringComparison.Ordinal);
        Assert.Equal(["a", "0", "4", "1"], LastRow(await Succeed("groups reset-offsets g --topic a --to-offset 1 --execute")));
        Assert.Equal("2\n3\n4\n", (await Succeed("consume a --group g --exit-at-end")).RecordText);
        Assert.Equal(["a", "0", "4", "0"], LastRow(await Succeed("groups reset-offsets g --topic a --to-datetime 2000-01-01T00:00:00Z")));
        Assert.Equal(["a", "0", "4", "4"], LastRow(await Succeed("groups reset-offsets g --topic a --to-latest")));
        await Succeed("groups delete g");
    }

    [Fact]
    public async Task Topics_are_created_described_altered_and_deleted()
    {
        await Succeed("topics create orders --partitions 2 --replication-factor 1 --config retention.ms=1000");
        Assert.Equal("orders\n", (await Succeed("topics list --names")).Text.ReplaceLineEndings("\n"));
        Assert.Equal(["retention.ms", "1000", "topic"], LastRow(await Succeed("topics describe orders")));
        await Succeed("topics alter orders --partitions 3 --config flush.messages=7 --delete-config retention.ms");
        var described = await Succeed("topics describe orders");
        Assert.StartsWith("Topic orders, 3 partitions", described.Text, StringComparison.Ordinal);
        Assert.Equal(["flush.messages", "7", "topic"], LastRow(described));
        await Succeed("topics delete orders");
        Assert.Equal("", (await Succeed("topics list --names")).Text);
    }

    [Theory]
    [InlineData("topics create orders", "already")]
    [InlineData("topics create new --config retention.mss=3", "did you mean retention.ms?")]
    [InlineData("topics describe ordrs", "there is no topic 'ordrs'; did you mean 'orders'?")]
    [InlineData("topics delete ordrs", "there is no topic 'ordrs'; did you mean 'orders'?")]
    [InlineData("consume payments", "there is no topic 'payments'; create it with 'olog topics create payments'.")]
    [InlineData("consume orders --partition 1", "topic 'orders' has no partition 1: it has 1")]
    [InlineData("groups describe nobody", "there is no group 'nobody'")]
    [InlineData("groups delete nobody", "could not delete group 'nobody'")]
    public async Task What_is_not_there_or_not_possible_is_said_in_one_line(string line, string expected)
    {
        await Succeed("topics create orders");
        var run = await Run(line);
        Assert.Equal(ExitCode.Failure, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Brokers_are_listed_with_what_they_lead()
    {
        await Succeed("topics create orders --partitions 5");
        var row = LastRow(await Succeed("brokers"));
        Assert.Equal(["0", $"127.0.0.1:{_broker.EndPoint.Port}", "-", "yes", "5"], row[..5]);
    }

    [Fact]
    public async Task A_measurement_says_how_durable_its_topic_is()
    {
        var produced = await Succeed("bench produce --records 5000 --record-size 50");
        Assert.Contains("on disk before it is acknowledged (flush.messages=1)", produced.Text, StringComparison.Ordinal);
        Assert.Contains("Produced 5,000 records (250.0 kB)", produced.Text, StringComparison.Ordinal);
        var consumed = await Succeed("bench consume");
        Assert.Contains("Consumed 5,000 records (250.0 kB)", consumed.Text, StringComparison.Ordinal);
        var fast = await Succeed("bench produce --topic fast --config flush.messages=1000 --partitions 2 --records 100 --acks 1 --compression lz4");
        Assert.Contains("acknowledged before it is on disk (flush.messages=1000, flush.ms=never)", fast.Text, StringComparison.Ordinal);
    }

    private async Task<OlogResult> Succeed(string line, byte[]? input = null)
    {
        var run = await Run(line, input);
        Assert.True(run.ExitCode == ExitCode.Success, $"olog {line}: {run.ExitCode}, {run.Error}");
        return run;
    }

    private Task<OlogResult> Run(string line, byte[]? input = null) =>
        OlogScript.RunAsync($"{line} --bootstrap 127.0.0.1:{_broker.EndPoint.Port}", input);

    private static string[] LastRow(OlogResult run) =>
        run.Text.TrimEnd().Split('\n')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static IEnumerable<string> Sorted(string lines) =>
        lines.Split('\n').Select(l => System.Text.RegularExpressions.Regex.Replace(l, "\"offset\":\\d+", "")).Order(StringComparer.Ordinal);
}
