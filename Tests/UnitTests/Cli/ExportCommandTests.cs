using System.Text;
using System.Text.Json;
using OrleansLog.Client;
using OrleansLog.Protocol.Records;
using OrleansLog.UnitTests.Support;
using static OrleansLog.UnitTests.Support.ClusterScript;

namespace OrleansLog.UnitTests.Cli;

/// <summary><c>olog export</c> against a broker of the embedded engine.</summary>
public sealed class ExportCommandTests : IAsyncLifetime
{
    private readonly DirectoryInfo _store = Directory.CreateTempSubdirectory("orleanslog-tiered-");
    private readonly DirectoryInfo _to = Directory.CreateTempSubdirectory("orleanslog-export-");
    private TestCluster _cluster = null!;

    public async ValueTask InitializeAsync() => _cluster = await TestCluster.StartAsync(1, ("remote.storage.directory", _store.FullName));

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _store.Delete(recursive: true);
        _to.Delete(recursive: true);
    }

    [Fact]
    public async Task A_record_is_a_line_with_all_that_it_has()
    {
        await CreateAsync(_cluster, "orders", 1);
        await using var client = new OrleansLogClient(new ClientOptions { BootstrapServers = _cluster.BootstrapFrom(new(0)) });
        await using (var producer = client.CreateProducer())
        {
            await producer.ProduceAsync("orders", new OutgoingRecord
            {
                HasKey = true,
                Key = "käse"u8,
                Value = "{\"a\": 1}\n"u8,
                TimestampMs = 1234,
                Headers = [new RecordHeader("trace", "x"u8.ToArray())],
            });
            await producer.ProduceAsync("orders", new OutgoingRecord { Value = [0xFF, 0x00], TimestampMs = 1235 });
            await producer.ProduceAsync("orders", new OutgoingRecord { HasKey = true, Key = "gone"u8, IsTombstone = true, TimestampMs = 1236 });
        }

        var run = await ExportAsync("orders");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.StartsWith("exported 3 records", run.Text, StringComparison.Ordinal);
        var lines = File.ReadAllLines(Assert.Single(FilesOf("orders")));
        Assert.Equal(
        [
            """{"topic":"orders","partition":0,"offset":0,"timestamp":1234,"key":"käse","value":"{\"a\": 1}\n","headers":[{"key":"trace","value":"x"}]}""",
            """{"topic":"orders","partition":0,"offset":1,"timestamp":1235,"key":null,"valueBase64":"/wA="}""",
            """{"topic":"orders","partition":0,"offset":2,"timestamp":1236,"key":"gone","value":null}""",
        ], lines);
    }

    [Fact]
    public async Task An_export_goes_on_after_the_files_that_are_whole()
    {
        await CreateAsync(_cluster, "orders", 1);
        await ProduceAsync(_cluster, "orders", [.. Enumerable.Range(0, 5).Select(number => $"v{number}")]);
        await ExportAsync("orders", "--file-bytes 150");
        Assert.Equal(["0-1", "2-3", "4-4"], RangesOf("orders"));
        var first = FilesOf("orders")[0];
        File.WriteAllText(first, "left alone");
        File.WriteAllText(Path.Combine(Path.GetDirectoryName(first)!, "unfinished"), "half a rec");
        File.Delete(FilesOf("orders")[2]);
        await ProduceAsync(_cluster, "orders", "v5");

        await ExportAsync("orders");
        Assert.Equal(["0-1", "2-3", "4-5"], RangesOf("orders"));
        Assert.Equal("left alone", File.ReadAllText(first));
        Assert.Equal(["v4", "v5"], ValuesOf(FilesOf("orders")[2]));
        Assert.False(File.Exists(Path.Combine(Path.GetDirectoryName(first)!, "unfinished")));
        Assert.Contains("0 records", (await ExportAsync("orders")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_what_is_asked_for_is_exported()
    {
        await CreateAsync(_cluster, "orders", 1);
        await using (var client = await _cluster.ConnectAsync(new(0)))
            for (var number = 0; number < 6; number++) await client.ProduceAsync("orders", Batches.At(1000 * number, $"v{number}"));

        await ExportAsync("orders", "--from 2 --until 4");
        Assert.Equal(["v2", "v3"], ValuesOf(Assert.Single(FilesOf("orders"))));
        Directory.Delete(Path.Combine(_to.FullName, "orders"), recursive: true);
        await ExportAsync("orders", "--from 1970-01-01T00:00:03Z --until 1970-01-01T00:00:05Z");
        Assert.Equal(["v3", "v4"], ValuesOf(Assert.Single(FilesOf("orders"))));
        Assert.Equal(2, (await ExportAsync("orders", "--stored-only --until 4")).ExitCode);
        Assert.Equal(1, (await ExportAsync("nothing")).ExitCode);
    }

    [Fact]
    public async Task What_is_in_the_store_is_exported_from_there()
    {
        await CreateAsync(
            _cluster, "orders", 1, ("remote.storage.enable", "true"), ("segment.bytes", "1048576"), ("local.retention.bytes", "0"), ("retention.ms", "-1"));
        string[] values = [.. Enumerable.Range(0, 5).Select(number => new string((char)('a' + number), 400_000))];
        await ProduceAsync(_cluster, "orders", values);
        var leader = _cluster.Broker(new(0)).Partitions.Find(new("orders", 0))!;
        await leader.TierAsync(default);
        await leader.TidyAsync();

        await ExportAsync("orders", "--stored-only");
        Assert.Equal(["0-3"], RangesOf("orders"));
        await ExportAsync("orders");
        Assert.Equal(["0-3", "4-4"], RangesOf("orders"));
        Assert.Equal(values, FilesOf("orders").SelectMany(ValuesOf));
    }

    private Task<OlogResult> ExportAsync(string topic, string options = "") =>
        OlogScript.RunAsync($"export {topic} --to {_to.FullName} {options} --bootstrap {_cluster.BootstrapFrom(new(0))}");

    private string[] FilesOf(string topic) =>
        [.. Directory.EnumerateFiles(Path.Combine(_to.FullName, topic, "0"), "*.jsonl").Order(StringComparer.Ordinal)];

    private IEnumerable<string> RangesOf(string topic) =>
        FilesOf(topic).Select(file => string.Join('-', Path.GetFileNameWithoutExtension(file).Split('-').Select(number => number.TrimStart('0') is { Length: > 0 } left ? left : "0")));

    private static IEnumerable<string> ValuesOf(string file) =>
        File.ReadLines(file, Encoding.UTF8).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("value").GetString()!);
}
