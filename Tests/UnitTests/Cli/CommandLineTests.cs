using System.Net;
using System.Net.Sockets;
using OrleansLog.Cli;

namespace OrleansLog.UnitTests.Cli;

public class CommandLineTests
{
    [Theory]
    [InlineData("topcs", "did you mean 'topics'?")]
    [InlineData("topics lst", "did you mean 'list'?")]
    [InlineData("topics frobnicate", "has no command 'frobnicate'.")]
    [InlineData("topics", "needs a command: create, list, describe, alter, delete, elect, reassign, reassignments, increase-replication.")]
    [InlineData("", "needs a command: topics, produce, consume, groups, transactions, tier, restore, export, brokers, bench.")]
    [InlineData("topics create", "'olog topics create' needs NAME.")]
    [InlineData("topics describe", "'olog topics describe' needs NAME.")]
    [InlineData("topics create a b", "does not know what to do with 'b'")]
    [InlineData("topics create a --partitons 3", "has no option '--partitons'; did you mean '--partitions'?")]
    [InlineData("topics list --bootstrp x", "did you mean '--bootstrap'?")]
    [InlineData("topics create a --partitions three", "--partitions takes a whole number of at least 1, not 'three'.")]
    [InlineData("topics create a --partitions 0", "--partitions takes a whole number of at least 1, not '0'.")]
    [InlineData("topics create a --config retention.ms", "--config takes KEY=VALUE, not 'retention.ms'.")]
    [InlineData("topics alter a", "nothing to change")]
    [InlineData("produce a --acks 2", "--acks takes one of 0, 1, all, not '2'.")]
    [InlineData("produce a --compression gzp", "did you mean 'gzip'?")]
    [InlineData("produce a --file", "--file needs a value")]
    [InlineData("produce a --format key-value --separator=", "--separator needs a value")]
    [InlineData("consume", "'olog consume' needs TOPIC.")]
    [InlineData("consume a --from-beginning --offset 3", "--from-beginning and --offset exclude each other.")]
    [InlineData("consume a --group g --partition 0", "--partition does not go with --group")]
    [InlineData("consume a --offset noon", "--offset takes earliest, latest or a number, not 'noon'.")]
    [InlineData("consume a --from-time noon", "--from-time takes a time such as")]
    [InlineData("consume a --partition 0,x", "--partition takes whole numbers from 0, not 'x'.")]
    [InlineData("groups reset-offsets g --to earliest", "needs --topic NAME.")]
    [InlineData("groups reset-offsets g --topic t", "either --to or --shift-by")]
    [InlineData("groups reset-offsets g --topic t --to latest --shift-by 2", "either --to or --shift-by")]
    [InlineData("groups reset-offsets g --topic t --to-latest --to-offset 2", "either --to or --shift-by")]
    [InlineData("groups reset-offsets g --topic t --to-latest --dry-run --execute", "--dry-run and --execute exclude each other")]
    [InlineData("groups reset-offsets g --topic t --to-datetime noon", "--to-datetime takes a time")]
    [InlineData("consume t --group g --protocol other", "--protocol")]
    [InlineData("groups reset-offsets g --topic t --to noon", "--to takes earliest, latest, a number or a time")]
    [InlineData("topics elect orders:x", "'orders:x' is not TOPIC[:PARTITION]: write for instance orders or orders:3.")]
    [InlineData("topics elect", "'olog topics elect' needs TOPIC[:PARTITION].")]
    [InlineData("topics reassign orders", "give either --brokers or --cancel.")]
    [InlineData("topics reassign orders --brokers 1 --cancel", "give either --brokers or --cancel.")]
    [InlineData("topics reassign orders --brokers 1,2,1", "--brokers names one broker twice.")]
    [InlineData("topics increase-replication orders", "needs --factor N.")]
    [InlineData("brokers decommission", "'olog brokers decommission' needs ID.")]
    [InlineData("brokers kill two", "a broker's ID is a whole number from 0, not 'two'.")]
    [InlineData("brokers kil 2", "did you mean 'kill'?")]
    [InlineData("brokers kill 2 --http 127.0.0.1:8080", "--http takes an address such as http://127.0.0.1:8080")]
    [InlineData("topics list --bootstrap host:port", "'host:port' is not an address")]
    public async Task A_command_line_that_makes_no_sense_is_explained_in_one_sentence(string line, string expected)
    {
        var run = await Run(line);
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.StartsWith("olog: ", run.Error, StringComparison.Ordinal);
        Assert.Equal("", run.Text);
    }

    [Theory]
    [InlineData("topics list")]
    [InlineData("topics create a")]
    [InlineData("topics describe a")]
    [InlineData("topics alter a --partitions 3")]
    [InlineData("topics delete a")]
    [InlineData("produce a")]
    [InlineData("consume a --offset -5")]
    [InlineData("groups list")]
    [InlineData("groups describe g")]
    [InlineData("groups reset-offsets g --topic a --shift-by -5")]
    [InlineData("groups delete g")]
    [InlineData("brokers")]
    [InlineData("brokers decommission 3")]
    [InlineData("topics elect a")]
    [InlineData("topics reassign a:0 --brokers 1")]
    [InlineData("topics reassignments")]
    [InlineData("topics increase-replication a --factor 3")]
    [InlineData("bench produce")]
    [InlineData("bench consume")]
    [InlineData("bench latency")]
    public async Task Where_nothing_listens_every_command_fails_at_once_and_says_what_to_do(string line)
    {
        var port = UnusedPort();
        var run = await Run($"{line} --bootstrap 127.0.0.1:{port}");
        Assert.Equal(ExitCode.Failure, run.ExitCode);
        Assert.StartsWith($"olog: nothing listens at 127.0.0.1:{port}. Start a broker with", run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        Assert.Equal("", run.Text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("topics")]
    [InlineData("topics create")]
    [InlineData("topics list")]
    [InlineData("topics describe")]
    [InlineData("topics alter")]
    [InlineData("topics delete")]
    [InlineData("topics elect")]
    [InlineData("topics reassign")]
    [InlineData("topics reassignments")]
    [InlineData("topics increase-replication")]
    [InlineData("produce")]
    [InlineData("consume")]
    [InlineData("groups")]
    [InlineData("groups list")]
    [InlineData("groups describe")]
    [InlineData("groups reset-offsets")]
    [InlineData("groups delete")]
    [InlineData("brokers")]
    [InlineData("brokers decommission")]
    [InlineData("brokers kill")]
    [InlineData("brokers pause")]
    [InlineData("brokers resume")]
    [InlineData("brokers start")]
    [InlineData("brokers stop")]
    [InlineData("bench")]
    [InlineData("bench produce")]
    [InlineData("bench consume")]
    [InlineData("bench latency")]
    public async Task The_help_of_every_command_has_examples_that_call_it(string command)
    {
        var run = await Run($"{command} --help");
        Assert.Equal((ExitCode.Success, ""), (run.ExitCode, run.Error));
        var examples = run.Text[run.Text.IndexOf("Examples:", StringComparison.Ordinal)..];
        Assert.Contains($"olog {command}".TrimEnd(), examples, StringComparison.Ordinal);
        Assert.Contains("--bootstrap", run.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_is_shown()
    {
        var run = await Run("--version");
        Assert.Equal(ExitCode.Success, run.ExitCode);
        Assert.Matches(@"^olog \d+\.\d+\.\d+", run.Text);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_named()
    {
        var run = await Run("produce a --file /no/such/file");
        Assert.Equal(ExitCode.Failure, run.ExitCode);
        Assert.Contains("/no/such/file", run.Error, StringComparison.Ordinal);
    }

    private static Task<OlogResult> Run(string line) => OlogScript.RunAsync(line);

    private static int UnusedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
