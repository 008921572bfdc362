using OrleansLog.InteropTests.Support;

namespace OrleansLog.InteropTests;

/// <summary>What librdkafka's idempotent producer writes while one broker after the other is killed under it: each record once, in order.</summary>
public sealed class IdempotentProducers
{
    private const int Brokers = 3;
    private const int Kills = 6;

    // Hundreds of records acknowledged while a broker is away: by then the client has found the new leader.
    private const int ProgressLines = 3;

    [Fact]
    public async Task Each_record_is_stored_once_in_order_while_leaders_are_killed()
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        var files = Directory.CreateTempSubdirectory("orleanslog-once-");
        await using var cluster = await BrokerProcess.StartAsync(Brokers);
        await Tool.RunOlogAsync(["topics", "create", "once", "--replication-factor", $"{Brokers}",
            "--config", "min.insync.replicas=2", "--bootstrap", cluster.Bootstrap]);
        var (acknowledged, stop) = (Path.Combine(files.FullName, "acknowledged"), Path.Combine(files.FullName, "stop"));
        var producing = Tool.RunPythonAsync("confluent_client.py", "produce_once_each", cluster.Bootstrap, "once", acknowledged, stop);
        try
        {
            await ProgressAsync(producing, acknowledged);
            for (var kill = 0; kill < Kills; kill++)
            {
                await cluster.ChangeBrokerAsync(kill % Brokers, "kill");
                await ProgressAsync(producing, acknowledged);
                await cluster.ChangeBrokerAsync(kill % Brokers, "start");
                await Watch.UntilAsync(async () => await cluster.MetricAsync("orleanslog_partitions_under_replicated") == 0);
            }
        }
        finally
        {
            File.WriteAllText(stop, "");
        }
        var written = await producing;
        files.Delete(recursive: true);
        await Tool.RunPythonAsync("confluent_client.py", "consume_once_each", cluster.Bootstrap, "once", written.Trim());
    }

    private static async Task ProgressAsync(Task producing, string acknowledged)
    {
        var wanted = Watch.Lines(acknowledged).Length + ProgressLines;
        await Watch.UntilAsync(async () =>
        {
            if (producing.IsCompleted)
                await producing;
            return Watch.Lines(acknowledged).Length >= wanted;
        });
    }
}
