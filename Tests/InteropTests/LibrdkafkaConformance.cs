using OrleansLog.InteropTests.Support;

namespace OrleansLog.InteropTests;

/// <summary>What applications do with librdkafka, through its Python binding.</summary>
public sealed class LibrdkafkaConformance
{
    [Fact]
    public async Task Keys_values_headers_and_timestamps_of_every_kind_come_back_as_they_were()
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        await using var broker = await BrokerProcess.StartAsync();
        await Tool.RunPythonAsync("confluent_client.py", "records_of_every_kind", broker.Bootstrap, "kinds");
    }

    [Fact]
    public async Task Topics_are_created_described_and_deleted()
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        await using var broker = await BrokerProcess.StartAsync();
        await Tool.RunPythonAsync("confluent_client.py", "administer", broker.Bootstrap, "administered");
    }

    [Fact]
    public async Task A_group_reads_all_partitions_and_its_offsets_survive_a_kill_of_the_broker()
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        Tool.NeedPython("kafka", "python3-kafka");
        using var text = new TextFile();
        await using var broker = await BrokerProcess.StartAsync("--config", "num.partitions=3");
        await Tool.RunPythonAsync("confluent_client.py", "produce_lines", broker.Bootstrap, "grouped", text.Path, "none");
        var committed = await Tool.RunPythonAsync("confluent_client.py", "group_round", broker.Bootstrap, "grouped", "readers", text.Count);

        await broker.KillAsync();
        await broker.RestartAsync();

        // The group has read everything, so another of its members finds the offsets and nothing more to read.
        var found = await Tool.RunPythonAsync("kafka_python_client.py", "group_round", broker.Bootstrap, "grouped", "readers", "0");
        Assert.Equal(committed, found);
    }
}
