using OrleansLog.InteropTests.Support;

namespace OrleansLog.InteropTests;

/// <summary>What librdkafka's idempotent producer writes while the leader under it is killed again and again: each record once, in order.</summary>
public sealed class IdempotentProducers
{
    private const int Brokers = 3;
    private const string Records = "20000";

    [Fact]
    public async Task Each_record_is_stored_once_in_order_while_leaders_are_killed()
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        await using var cluster = await BrokerProcess.StartAsync(Brokers);
        await Tool.RunOlogAsync(["topics", "create", "once", "--replication-factor", $"{Brokers}",
            "--config", "min.insync.replicas=2", "--bootstrap", cluster.Bootstrap]);
        var producing = Tool.RunPythonAsync("confluent_client.py", "produce_once_each", cluster.Bootstrap, "once", Records);
        for (var victim = 0; !producing.IsCompleted; victim = (victim + 1) % Brokers)
        {
            await cluster.ChangeBrokerAsync(victim, "kill");
            await cluster.ChangeBrokerAsync(victim, "start");
            await RestoredAsync(cluster);
        }
        await producing;
        await Tool.RunPythonAsync("confluent_client.py", "consume_once_each", cluster.Bootstrap, "once", Records);
    }

    private static async Task RestoredAsync(BrokerProcess cluster)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await cluster.MetricAsync("orleanslog_partitions_under_replicated") != 0)
            await timer.WaitForNextTickAsync(patience.Token);
    }
}
