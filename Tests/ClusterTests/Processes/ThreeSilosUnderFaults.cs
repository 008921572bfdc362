using System.Globalization;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>
/// Three silos are killed, hung, stopped, robbed of their disks and of their storage, and parted from one another.
/// <c>ORLEANSLOG_CLUSTER_ROUNDS</c> asks for more rounds.
/// </summary>
public sealed class ThreeSilosUnderFaults(ITestOutputHelper output)
{
    // Ten minutes after its start, and every ten minutes, Azurite removes what was overwritten, and may answer nobody for minutes
    // meanwhile. So many rounds are over by then.
    private const int RoundsWithOneStorage = 20;

    [Fact]
    public Task Nothing_acknowledged_is_lost_while_silos_come_and_go() => ComeAndGoAsync(() => new SendAndReadWorkload());

    [Fact]
    public Task Each_item_passes_each_stage_of_a_pipeline_once_while_silos_come_and_go() => ComeAndGoAsync(() => new PipelineWorkload());

    [Fact]
    public Task Nothing_acknowledged_is_lost_while_silos_do_not_hear_one_another() => RepeatAsync(faultCount: 4, async rounds =>
    {
        await using var network = await TestNetwork.CreateAsync(3);
        await using var storage = new Azurite { Host = network.Host };
        await storage.InitializeAsync();
        Fault[] faults =
        [
            new("isolated", silo => network.IsolateAsync(silo.Id), Mend),
            new("parted from the others", async silo =>
            {
                await CutAsync(silo.Id, Next(silo.Id));
                await CutAsync(silo.Id, Next(Next(silo.Id)));
            }, Mend),
            new("heard by nobody", async silo =>
            {
                await network.CutAsync(silo.Id, Next(silo.Id));
                await network.CutAsync(silo.Id, Next(Next(silo.Id)));
            }, Mend),
            new("parted from one", silo => CutAsync(silo.Id, Next(silo.Id)), Mend),
        ];
        // Two that cannot reach one another while others reach both are both alive: the follower is left out when it lags.
        await using var cluster = await ClusterUnderLoad.StartAsync(new SendAndReadWorkload(), storage.ConnectionString, network.PlaceOf, "--config", "replica.lag.time.max.ms=5000");
        await PlayAsync(cluster, faults, rounds);

        Task Mend(SiloProcess silo) => network.MendAsync();
        async Task CutAsync(int one, int other)
        {
            await network.CutAsync(one, other);
            await network.CutAsync(other, one);
        }
    });

    private Task ComeAndGoAsync(Func<IWorkload> newWorkload) => RepeatAsync(faultCount: 5, async rounds =>
    {
        await using var storage = new Azurite();
        await storage.InitializeAsync();
        Fault[] faults =
        [
            new("killed", silo => silo.KillAsync()),
            new("stopped", silo => silo.StopAsync()),
            new("hung", silo => silo.PauseAsync(), silo => silo.ResumeAsync()),
            new("wiped", async silo =>
            {
                await silo.KillAsync();
                silo.WipeDisk();
            }),
            new("without storage", _ => Signals.SendAsync(storage.Process!, "STOP"), _ => Signals.SendAsync(storage.Process!, "CONT")),
        ];
        await using var cluster = await ClusterUnderLoad.StartAsync(newWorkload(), storage.ConnectionString);
        await PlayAsync(cluster, faults, rounds);
    });

    private static async Task RepeatAsync(int faultCount, Func<IEnumerable<int>, Task> playAsync)
    {
        var rounds = int.Parse(Environment.GetEnvironmentVariable("ORLEANSLOG_CLUSTER_ROUNDS") ?? $"{faultCount}", CultureInfo.InvariantCulture);
        foreach (var some in Enumerable.Range(0, rounds).Chunk(RoundsWithOneStorage)) await playAsync(some);
    }

    private async Task PlayAsync(ClusterUnderLoad cluster, Fault[] faults, IEnumerable<int> rounds)
    {
        foreach (var round in rounds) await cluster.PlayAsync(round % 3, faults[round % faults.Length]);
        await cluster.AssertSoundAsync(output);
    }

    private static int Next(int silo) => (silo + 1) % 3;
}
