using OrleansLog.InteropTests.Support;

namespace OrleansLog.InteropTests;

/// <summary>A file of text written by one client is read back, byte for byte and in order, by all the others.</summary>
public sealed class ClientsReadEachOther
{
    private const string Topic = "lines";

    [Theory]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task What_librdkafka_wrote_in_any_compression(string compression)
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        using var text = new TextFile();
        await using var broker = await BrokerProcess.StartAsync();
        await Tool.RunPythonAsync("confluent_client.py", "produce_lines", broker.Bootstrap, Topic, text.Path, compression);
        await AssertReadByLibrdkafkaAsync(broker, text);
        await AssertReadByOlogAsync(broker, text);
    }

    [Fact]
    public async Task What_an_idempotent_librdkafka_wrote()
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        using var text = new TextFile();
        await using var broker = await BrokerProcess.StartAsync();
        await Tool.RunPythonAsync("confluent_client.py", "produce_lines", broker.Bootstrap, Topic, text.Path, "lz4", "true");
        await AssertReadByLibrdkafkaAsync(broker, text);
        await AssertReadByOlogAsync(broker, text);
    }

    [Theory]
    [InlineData("enable.idempotence=false")]
    [InlineData("enable.idempotence=true")]
    public async Task What_kcat_wrote(string setting)
    {
        Tool.NeedKcat();
        using var text = new TextFile();
        await using var broker = await BrokerProcess.StartAsync();
        await Tool.RunAsync("kcat", ["-b", broker.Bootstrap, "-t", Topic, "-P", "-X", "linger.ms=5", "-X", setting], WithoutEmptyLines(text));
        var copy = text.CopyBy("kcat");
        await Tool.RunAsync("kcat", ["-b", broker.Bootstrap, "-t", Topic, "-C", "-e", "-q"], outputFile: copy);
        await Tool.RunAsync("cmp", [WithoutEmptyLines(text), copy]);
    }

    [Fact]
    public async Task What_kafka_python_wrote()
    {
        Tool.NeedPython("kafka", "python3-kafka");
        using var text = new TextFile();
        await using var broker = await BrokerProcess.StartAsync();
        await Tool.RunPythonAsync("kafka_python_client.py", "produce_lines", broker.Bootstrap, Topic, text.Path);
        await AssertReadByOlogAsync(broker, text);
        var copy = text.CopyBy("kafka-python");
        await Tool.RunPythonAsync("kafka_python_client.py", "consume_lines", broker.Bootstrap, Topic, copy, text.Count);
        await text.AssertSameAsync(copy);
    }

    [Fact]
    public async Task What_kafkajs_wrote()
    {
        var modules = await KafkaJs.NeedAsync();
        using var text = new TextFile();
        await using var broker = await BrokerProcess.StartAsync();
        await KafkaJs.RunAsync(modules, "produce", broker.Bootstrap, Topic, text.Path);
        await AssertReadByOlogAsync(broker, text);
        var copy = text.CopyBy("kafkajs");
        await KafkaJs.RunAsync(modules, "consume", broker.Bootstrap, Topic, copy, text.Count);
        await text.AssertSameAsync(copy);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task What_olog_wrote_in_any_compression(string compression)
    {
        using var text = new TextFile();
        await using var broker = await BrokerProcess.StartAsync();
        await Tool.RunOlogAsync(["produce", Topic, "--bootstrap", broker.Bootstrap, "--compression", compression], text.Path);
        await AssertReadByOlogAsync(broker, text);
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        await AssertReadByLibrdkafkaAsync(broker, text);
    }

    private static async Task AssertReadByOlogAsync(BrokerProcess broker, TextFile text)
    {
        var copy = text.CopyBy("olog");
        await Tool.RunOlogAsync(["consume", Topic, "--bootstrap", broker.Bootstrap, "--from-beginning", "--exit-at-end"], outputFile: copy);
        await text.AssertSameAsync(copy);
    }

    private static async Task AssertReadByLibrdkafkaAsync(BrokerProcess broker, TextFile text)
    {
        var copy = text.CopyBy("librdkafka");
        await Tool.RunPythonAsync("confluent_client.py", "consume_lines", broker.Bootstrap, Topic, copy, text.Count);
        await text.AssertSameAsync(copy);
    }

    /// <summary>kcat sends no record for an empty line.</summary>
    private static string WithoutEmptyLines(TextFile text)
    {
        var path = text.CopyBy("without-empty-lines");
        if (!File.Exists(path))
        {
            var latin1 = System.Text.Encoding.Latin1;
            File.WriteAllText(path, string.Concat(File.ReadLines(text.Path, latin1).Where(line => line.Length > 0).Select(line => line + "\n")), latin1);
        }
        return path;
    }
}
