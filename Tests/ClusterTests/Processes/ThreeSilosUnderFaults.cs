using System.Globalization;
using OrleansLog.Client;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>
/// Three silos in processes of their own that are killed, hung, stopped and robbed of their disks while producers and
/// consumers run; what those saw is judged by the simulator's checker. <c>ORLEANSLOG_CLUSTER_ROUNDS</c> asks for more rounds.
/// </summary>
public sealed class ThreeSilosUnderFaults(Azurite azurite, ITestOutputHelper output) : IClassFixture<Azurite>
{
    private const string Topic = "history";
    private const int Partitions = 3;
    private const int ProgressRecords = 20;

    private static readonly int Rounds = int.Parse(Environment.GetEnvironmentVariable("ORLEANSLOG_CLUSTER_ROUNDS") ?? "4", CultureInfo.InvariantCulture);

    private static readonly Fault[] Faults =
    [
        new("killed", async silo =>
        {
            await silo.KillAsync();
            return silo.StartAsync;
        }),
        new("stopped", async silo =>
        {
            await silo.StopAsync();
            return silo.StartAsync;
        }),
        new("hung", async silo =>
        {
            await silo.PauseAsync();
            return () => GoOnAsync(silo);
        }),
        new("wiped", async silo =>
        {
            await silo.KillAsync();
            silo.WipeDisk();
            return silo.StartAsync;
        }),
    ];

    [Fact]
    public async Task Nothing_acknowledged_is_lost_while_silos_come_and_go()
    {
        await using var silos = await SiloProcesses.StartAsync(3, azurite.ConnectionString);
        await using var client = new OrleansLogClient(silos.Bootstrap);
        await client.Admin.CreateTopicAsync(new NewTopic(Topic, Partitions, 3) { Configs = new Dictionary<string, string> { ["min.insync.replicas"] = "2" } });
        await using var workload = new Workload(silos.Bootstrap, Topic, Partitions, producers: 2, consumers: 2);
        await Eventually.TrueAsync(() => workload.FewestSince(DateTimeOffset.UnixEpoch) >= ProgressRecords);
        var gaps = new List<(string Fault, long Ms)>();
        for (var round = 0; round < Rounds; round++)
            gaps.Add(await PlayAsync(silos[round % silos.Count], Faults[round % Faults.Length], client, workload));

        var anomalies = await workload.JudgeAsync();
        Report(workload, gaps);
        Assert.Empty(anomalies);
        Assert.Empty(workload.Refusals);
    }

    private static async Task<(string Fault, long Ms)> PlayAsync(SiloProcess silo, Fault fault, OrleansLogClient client, Workload workload)
    {
        var since = DateTimeOffset.UtcNow;
        var mend = await fault.StrikeAsync(silo);
        var struck = DateTimeOffset.UtcNow;
        await Eventually.TrueAsync(() => workload.FewestSince(struck) >= ProgressRecords);
        var gap = workload.LongestGap(since, DateTimeOffset.UtcNow);
        await mend();
        await UntilInSyncAsync(client);
        var mended = DateTimeOffset.UtcNow;
        await Eventually.TrueAsync(() => workload.FewestSince(mended) >= ProgressRecords);
        return (fault.Name, gap);
    }

    // A silo that was given up while it hung ends itself as soon as it learns of it, as a supervisor would have it.
    private static async Task GoOnAsync(SiloProcess silo)
    {
        await silo.ResumeAsync();
        await Eventually.TrueAsync(() => silo.HasEnded);
        await silo.StartAsync();
    }

    private static Task UntilInSyncAsync(OrleansLogClient client) => Eventually.TrueAsync(async () =>
        (await client.Admin.DescribeTopicAsync(Topic)).Partitions.All(partition => partition.InSyncReplicas.Count == 3));

    private void Report(Workload workload, List<(string Fault, long Ms)> gaps)
    {
        output.WriteLine($"{workload.AcknowledgedCount} records acknowledged in {Rounds} rounds.");
        foreach (var fault in gaps.GroupBy(gap => gap.Fault, gap => gap.Ms))
        {
            var sorted = fault.Order().ToList();
            output.WriteLine($"{fault.Key}: no partition took nothing for longer than {sorted[sorted.Count / 2]} ms (median; {sorted[0]} to {sorted[^1]}).");
        }
    }

    /// <summary>Something that befalls a silo; what it answers makes it good again.</summary>
    private sealed record Fault(string Name, Func<SiloProcess, Task<Func<Task>>> StrikeAsync);
}
