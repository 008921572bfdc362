using OrleansLog.Client;
using OrleansLog.ClusterTests.Support;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>
/// Three silos in processes of their own to which faults happen, and a workload whose clients come by grain calls and over the
/// Kafka endpoint in turn; what they saw is judged by the simulator's checkers.
/// </summary>
internal sealed class ClusterUnderLoad : IAsyncDisposable
{
    private const int Replicas = 3;
    private const int ProgressRecords = 20;

    private readonly SiloProcesses _silos;
    private readonly OrleansLogClient _wire;
    private readonly Application _application;
    private readonly IWorkload _workload;
    private readonly List<(string Fault, long Ms)> _gaps = [];

    private ClusterUnderLoad(SiloProcesses silos, OrleansLogClient wire, Application application, IWorkload workload) =>
        (_silos, _wire, _application, _workload) = (silos, wire, application, workload);

    /// <param name="workload">What to keep it busy with; is disposed of with it.</param>
    /// <param name="connection">The blob storage's connection string.</param>
    /// <param name="placeOf">Where each silo runs; the loopback interface by default.</param>
    /// <param name="options">Further options of every silo.</param>
    public static async Task<ClusterUnderLoad> StartAsync(IWorkload workload, string connection, Func<int, Place>? placeOf = null, params string[] options)
    {
        var silos = await SiloProcesses.StartAsync(Replicas, connection, placeOf, options);
        var wire = new OrleansLogClient(Patient(new ClientOptions { BootstrapServers = silos.Bootstrap }));
        var cluster = new ClusterUnderLoad(silos, wire, await silos.ConnectAsync(Patient), workload);
        foreach (var topic in workload.Topics) await wire.Admin.CreateTopicAsync(topic);
        workload.Start([wire, cluster._application.Log]);
        await Eventually.TrueAsync(() => workload.FewestSince(DateTimeOffset.UnixEpoch) >= ProgressRecords, "the workload gets going", () => cluster.ExplainAsync(DateTimeOffset.UnixEpoch));
        return cluster;
    }

    /// <summary>
    /// Lets something happen to a silo, waits until every partition takes records again, mends it, and waits until all is as
    /// before. A silo that ended, since it was killed or has learned that it was given up, is started again, as a supervisor does.
    /// </summary>
    public async Task PlayAsync(int silo, Fault fault)
    {
        var since = DateTimeOffset.UtcNow;
        await fault.StrikeAsync(_silos[silo]);
        var struck = DateTimeOffset.UtcNow;
        await UntilWritesGoOnAsync(struck, $"silo {silo} was {fault.Name}");
        _gaps.Add((fault.Name, _workload.LongestGap(since, DateTimeOffset.UtcNow)));
        await fault.MendAsync(_silos[silo]);
        await Eventually.TrueAsync(IsWholeAsync, $"all replicas are in sync after silo {silo} was {fault.Name}", () => ExplainAsync(struck));
        await UntilWritesGoOnAsync(DateTimeOffset.UtcNow, $"silo {silo} was mended");
    }

    /// <summary>Ends the load and fails if anything was lost, reordered, read too early or refused.</summary>
    public async Task AssertSoundAsync(ITestOutputHelper output)
    {
        var anomalies = await _workload.JudgeAsync(output);
        output.WriteLine($"{_gaps.Count} rounds.");
        foreach (var fault in _gaps.GroupBy(gap => gap.Fault, gap => gap.Ms))
        {
            var sorted = fault.Order().ToList();
            output.WriteLine($"{fault.Key} ({sorted.Count} times): no standstill anywhere of more than {sorted[sorted.Count / 2]} ms (median; {sorted[0]} to {sorted[^1]}).");
        }
        Assert.Empty(anomalies);
    }

    public async ValueTask DisposeAsync()
    {
        // Whatever else goes wrong, no process stays behind.
        await using (_silos)
        await using (_wire)
        await using (_application)
            await _workload.DisposeAsync();
    }

    private Task UntilWritesGoOnAsync(DateTimeOffset since, string after) =>
        Eventually.TrueAsync(() => _workload.FewestSince(since) >= ProgressRecords, $"all partitions take records after {after}", () => ExplainAsync(since));

    // Every broker must say so: one that was given up, and has not learned it yet, may still think so.
    private async Task<bool> IsWholeAsync()
    {
        // As a supervisor does, again and again.
        foreach (var silo in _silos.Where(silo => silo.HasEnded))
        {
            if (!await silo.TryStartAsync())
                return false;
        }
        foreach (var silo in _silos)
        {
            if (!await IsWholeAsync(silo))
                return false;
        }
        return _silos.All(silo => !silo.HasEnded);
    }

    // It may be on its way out, or not quite here.
    private async Task<bool> IsWholeAsync(SiloProcess silo) =>
        await AskAsync(silo) is { Problem: "" } answer && answer.Topics.All(topic => topic.Partitions.All(partition => partition.InSyncReplicas.Count == Replicas));

    private async Task<(List<TopicDescription> Topics, string Problem)> AskAsync(SiloProcess silo)
    {
        await using var client = new OrleansLogClient(new ClientOptions { BootstrapServers = silo.Address, ConnectTimeoutMs = 1_000, OperationTimeoutMs = 1_000 });
        List<TopicDescription> topics = [];
        try
        {
            foreach (var topic in _workload.Topics) topics.Add(await client.Admin.DescribeTopicAsync(topic.Name));
            return (topics, "");
        }
        catch (OrleansLogException e)
        {
            return (topics, e.Message);
        }
    }

    private async Task<string> ExplainAsync(DateTimeOffset since)
    {
        var views = await Task.WhenAll(_silos.Select(async silo => (silo.Id, Answer: await AskAsync(silo))));
        return string.Join(Environment.NewLine, [
            .. views.Select(view => $"silo {view.Id} says: {view.Answer.Problem}{string.Join("; ", view.Answer.Topics.SelectMany(topic => topic.Partitions.Select(partition => $"{topic.Name}-{Text(partition)}")))}"),
            _workload.Describe(since)]);
    }

    private static string Text(PartitionDescription partition) =>
        $"{partition.Partition} led by {partition.Leader} in epoch {partition.LeaderEpoch}, in sync [{string.Join(' ', partition.InSyncReplicas)}]";

    private static ClientOptions Patient(ClientOptions options) => options with { RequestTimeoutMs = 5_000, ConnectTimeoutMs = 1_000, RetryBackoffMsMax = 200, UnknownTopicWaitMsMax = 60_000 };
}

/// <summary>Something that befalls a silo, and what makes it good again, apart from starting a silo that has ended.</summary>
internal sealed record Fault(string Name, Func<SiloProcess, Task> StrikeAsync, Func<SiloProcess, Task> MendAsync)
{
    public Fault(string name, Func<SiloProcess, Task> strikeAsync)
        : this(name, strikeAsync, _ => Task.CompletedTask)
    {
    }
}
