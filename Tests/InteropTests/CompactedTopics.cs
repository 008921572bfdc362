using OrleansLog.InteropTests.Support;

namespace OrleansLog.InteropTests;

/// <summary>Clients read what compaction has left: records far apart, batches of which only some are left, or none.</summary>
public sealed class CompactedTopics
{
    private const string Topic = "profiles";
    private static readonly string[] Eager = ["--config", "log.cleaner.backoff.ms=50", "--config", "log.roll.ms=1", "--config", "log.cleaner.min.cleanable.ratio=0"];

    [Theory]
    [InlineData("none")]
    [InlineData("zstd")]
    public async Task Every_client_reads_the_last_value_of_every_key(string compression)
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        Tool.NeedPython("kafka", "python3-kafka");
        await using var broker = await BrokerProcess.StartAsync(Eager);
        // The last record, whose key no other has, tells readers that they have seen everything.
        var written = await Tool.RunPythonAsync("confluent_client.py", "produce_keyed", broker.Bootstrap, Topic, compression);
        await Watch.UntilAsync(async () => await broker.MetricAsync("orleanslog_log_compacted_offset", Topic) > 2000);

        Assert.Equal(written, await Tool.RunPythonAsync("confluent_client.py", "consume_keyed", broker.Bootstrap, Topic));
        if (compression != "zstd")
            Assert.Equal(written, await Tool.RunPythonAsync("kafka_python_client.py", "consume_keyed", broker.Bootstrap, Topic));
    }

    [Fact]
    public async Task The_pure_JavaScript_client_reads_the_last_value_of_every_key()
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        var modules = await KafkaJs.NeedAsync();
        await using var broker = await BrokerProcess.StartAsync(Eager);
        var written = await Tool.RunPythonAsync("confluent_client.py", "produce_keyed", broker.Bootstrap, Topic, "none");
        await Watch.UntilAsync(async () => await broker.MetricAsync("orleanslog_log_compacted_offset", Topic) > 2000);
        var copy = Path.Combine(broker.DataDirectory, "kafkajs.json");
        await KafkaJs.RunAsync(modules, "consumeKeyed", broker.Bootstrap, Topic, copy);
        Assert.Equal(written.Trim(), await File.ReadAllTextAsync(copy));
    }

    [Fact]
    public async Task Kcat_and_olog_read_the_last_value_of_every_key()
    {
        Tool.NeedKcat();
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        await using var broker = await BrokerProcess.StartAsync(Eager);
        var written = await Tool.RunPythonAsync("confluent_client.py", "produce_keyed", broker.Bootstrap, Topic, "none");
        await Watch.UntilAsync(async () => await broker.MetricAsync("orleanslog_log_compacted_offset", Topic) > 2000);
        var byKcat = await Tool.RunAsync("kcat", ["-b", broker.Bootstrap, "-t", Topic, "-C", "-e", "-q", "-o", "beginning", "-f", "%k=%s\n"]);
        Assert.Equal(written.Trim(), LastOf(byKcat));
        var byOlog = await Tool.RunOlogAsync(["consume", Topic, "--bootstrap", broker.Bootstrap, "--from-beginning", "--exit-at-end", "--format", "key-value", "--separator", "=", "--null", ""]);
        Assert.Equal(written.Trim(), LastOf(byOlog));
    }

    [Fact]
    public async Task Committed_offsets_are_found_in_a_compacted_topic_after_a_kill()
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        await using var broker = await BrokerProcess.StartAsync([.. Eager, "--config", "offsets.topic.num.partitions=1"]);
        await Tool.RunPythonAsync("confluent_client.py", "produce_keyed", broker.Bootstrap, Topic, "none");
        var committed = await Tool.RunPythonAsync("confluent_client.py", "commit_often", broker.Bootstrap, Topic, "readers", "300");
        await Watch.UntilAsync(async () => await broker.MetricAsync("orleanslog_log_compacted_offset", "__consumer_offsets") > 200);
        await broker.KillAsync();
        await broker.RestartAsync();
        Assert.Equal(committed, await Tool.RunPythonAsync("confluent_client.py", "committed", broker.Bootstrap, Topic, "readers"));
    }

    private static string LastOf(string lines)
    {
        var last = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            last[line.Split('=')[0]] = line.Split('=')[1];
        return System.Text.Json.JsonSerializer.Serialize(last.Where(entry => entry.Value.Length > 0).ToDictionary());
    }
}
