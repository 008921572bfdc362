using OrleansLog.Simulation.Applications;
using OrleansLog.Simulation.Checking;
using OrleansLog.Simulation.Faults;
using OrleansLog.Simulation.Pipelines;
using OrleansLog.Simulation.Running;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation;

/// <summary>What came out of one run.</summary>
/// <param name="Seed">What repeats it.</param>
/// <param name="Violation">The invariant that broke, and how; null if all held.</param>
/// <param name="TraceHash">The same for two runs of a seed.</param>
/// <param name="Acknowledged">Batches that producers were told are safe.</param>
/// <param name="Lost">Acknowledged records that were lost as the topic allows.</param>
/// <param name="Epochs">Leaderships that there were.</param>
/// <param name="Events">Things that happened.</param>
/// <param name="Trace">What happened, if it was asked for.</param>
public sealed record SimResult(ulong Seed, string? Violation, ulong TraceHash, int Acknowledged, int Lost, int Epochs, long Events, string Trace);

/// <summary>
/// Runs a cluster from a seed: faults for a while, then peace, then it must come to rest with everything in its place.
/// </summary>
public static class SimRun
{
    private const long PeaceUsMax = 40_000_000;
    private const long EventsMax = 300_000;
    private const long PipelinePeaceUsMax = 120_000_000;
    private const long PipelineEventsMax = 3_000_000;

    public static SimResult Run(ulong seed, FaultProfile? profile = null, PlantedBug? bug = null, bool keepsTrace = false, Promise promise = Promise.Durable) =>
        Alone(escapes => RunCluster(seed, new SimCluster(seed, profile, bug, keepsTrace, promise), escapes));

    /// <summary>
    /// Runs an application against a cluster. Things go wrong for as long as the profile says; the application has to end
    /// in the peace after that, and what it throws, a failed assertion say, breaks the run as any invariant does.
    /// </summary>
    /// <param name="seed">What repeats the run.</param>
    /// <param name="main">The application; it gets its client from what it is given.</param>
    /// <param name="profile">What goes wrong; drawn from the seed if null.</param>
    /// <param name="keepsTrace">Whether the result tells all that happened.</param>
    public static SimResult RunApplication(ulong seed, Func<SimApplication, Task> main, FaultProfile? profile = null, bool keepsTrace = false) =>
        Alone(escapes => RunApplication(seed, main, new SimCluster(seed, profile, keepsTrace: keepsTrace), escapes));

    /// <summary>
    /// Runs transactional producers, by a scripted coordinator, and a reader of committed transactions, who must find each
    /// record of each committed one once and nothing else.
    /// </summary>
    /// <param name="seed">What repeats the run.</param>
    /// <param name="bug">A mistake to be found.</param>
    /// <param name="keepsTrace">Whether the result tells all that happened.</param>
    public static SimResult RunTransactions(ulong seed, PlantedBug? bug = null, bool keepsTrace = false)
    {
        var profile = FaultProfile.Draw(new SimRandom(seed));
        // A reader that starts late would not know what is missing.
        int[] weights = [.. profile.Weights.Select((weight, fault) => fault == (int)FaultKind.DeleteRecords ? 0 : weight)];
        return Alone(escapes => RunTransactions(seed, new SimCluster(seed, profile with { Weights = weights }, bug, keepsTrace), escapes));
    }

    /// <summary>
    /// Runs members of a group that consume, transform and produce in transactions, with the real client against production's
    /// coordinators on simulated brokers: each item that is fed must come out once, for readers of committed records.
    /// </summary>
    /// <param name="seed">What repeats the run.</param>
    /// <param name="bug">A mistake of the brokers to be found.</param>
    /// <param name="mistake">A mistake of the members to be found.</param>
    /// <param name="keepsTrace">Whether the result tells all that happened.</param>
    public static SimResult RunPipeline(ulong seed, PlantedBug? bug = null, PipelineMistake mistake = PipelineMistake.None, bool keepsTrace = false)
    {
        return Alone(escapes => RunPipeline(seed, new SimCluster(seed, FaultProfile.DrawCoordinated(seed), bug, keepsTrace), mistake, escapes));
    }

    private static SimResult RunPipeline(ulong seed, SimCluster cluster, PipelineMistake mistake, SilentFailures escapes)
    {
        Begin(cluster);
        cluster.Watch([new LastStableOffsetInvariant()]);
        var pipeline = new Pipeline(cluster, mistake);
        pipeline.Begin();
        var adversary = new Adversary(cluster);
        adversary.Begin();
        bool IsBroken() => (cluster.Violation ??= escapes.First ?? Livelock(cluster, PipelineEventsMax)) is not null;
        cluster.Scheduler.RunUntil(cluster.Scheduler.NowUs + cluster.Profile.FaultsMs * 1000L, IsBroken);
        adversary.End();
        pipeline.EndTrouble();
        cluster.Scheduler.RunUntil(cluster.Scheduler.NowUs + PipelinePeaceUsMax, () => IsBroken() || pipeline.HasEnded);
        if (!IsBroken() && !pipeline.HasEnded) cluster.Violate("convergence", $"{pipeline}; {pipeline.Failure}; {Describe(cluster, [])}");
        pipeline.Stop();
        cluster.Scheduler.RunUntil(cluster.Scheduler.NowUs + PipelinePeaceUsMax, () => IsBroken() || pipeline.HasStopped);
        if (!IsBroken() && !pipeline.HasStopped) cluster.Violate("application", $"a member does not come to its end: {pipeline}");
        pipeline.Judge();
        cluster.Scheduler.RunUntil(cluster.Scheduler.NowUs + PipelinePeaceUsMax, () => IsBroken() || pipeline.IsJudged);
        if (!IsBroken() && (!pipeline.IsJudged || pipeline.Failure is not null)) cluster.Violate("application", $"{pipeline}; {pipeline.Failure}");
        cluster.Scheduler.RunUntil(cluster.Scheduler.NowUs + PeaceUsMax, () => IsBroken() || IsAtRest(cluster, []));
        if (!IsBroken() && !IsAtRest(cluster, [])) cluster.Violate("convergence", Describe(cluster, []));
        else if (!IsBroken() && pipeline.Verdict is { } wrong) cluster.Violate("pipeline", $"{wrong} ({pipeline})");
        else if (!IsBroken()) cluster.Finish();
        return ResultOf(seed, cluster, pipeline.Ledger.CommittedCount);
    }

    private static SimResult RunTransactions(ulong seed, SimCluster cluster, SilentFailures escapes)
    {
        Begin(cluster);
        cluster.Watch([new LastStableOffsetInvariant()]);
        var ledger = new TransactionLedger();
        var transactors = Enumerable.Range(0, 1 + cluster.Random.Below(3))
            .Select(number => new SimTransactor(cluster, 400 + number, (number + 1) * 1_000_000L, cluster.Random.Chance(0.5), ledger)).ToList();
        var reader = new SimCommittedReader(cluster, 500, ledger);
        foreach (var client in transactors.Append<SimClient>(reader)) client.Begin();
        var adversary = new Adversary(cluster);
        adversary.Begin();
        bool IsBroken() => (cluster.Violation ??= escapes.First ?? Livelock(cluster)) is not null;
        cluster.Scheduler.RunUntil(cluster.Scheduler.NowUs + cluster.Profile.FaultsMs * 1000L, IsBroken);
        adversary.End();
        foreach (var transactor in transactors) transactor.IsStopping = true;
        bool HaveEnded() => transactors.TrueForAll(transactor => transactor.HasEnded) && IsAtRest(cluster, []) && reader.Position == cluster.Ledger.Current.End;
        cluster.Scheduler.RunUntil(cluster.Scheduler.NowUs + PeaceUsMax, () => IsBroken() || HaveEnded());
        if (!IsBroken() && !HaveEnded())
            cluster.Violate("convergence", $"read up to {reader.Position}, ended {string.Join(' ', transactors.Select(each => each.HasEnded))}; {Describe(cluster, [])}");
        else if (!IsBroken() && ledger.AtEnd() is { } wrong) cluster.Violate("transactions", wrong);
        else if (!IsBroken()) cluster.Finish();
        return ResultOf(seed, cluster, transactors.Sum(transactor => transactor.Ended));
    }

    private static SimResult Alone(Func<SilentFailures, SimResult> run)
    {
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        using var escapes = new SilentFailures();
        try
        {
            return run(escapes);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    private static void Begin(SimCluster cluster)
    {
        cluster.Watch(
        [
            new RegisterInvariant(), new FencingInvariant(), new LogMatchingInvariant(), new CommitInvariant(), new DurabilityInvariant(),
            new MembershipInvariant(), new HighWatermarkInvariant(), new ReaderFencingInvariant(), new FailedFlushInvariant(), new LimitsInvariant(), new CompactionInvariant(), cluster.Tiering,
        ]);
        cluster.Begin();
    }

    private static SimResult RunApplication(ulong seed, Func<SimApplication, Task> main, SimCluster cluster, SilentFailures escapes)
    {
        Begin(cluster);
        var application = new SimApplication(cluster, 300);
        application.Begin(main);
        var adversary = new Adversary(cluster);
        adversary.Begin();
        bool IsBroken() => (cluster.Violation ??= escapes.First ?? Livelock(cluster)) is not null;
        cluster.Scheduler.RunUntil(cluster.Scheduler.NowUs + cluster.Profile.FaultsMs * 1000L, IsBroken);
        adversary.End();
        cluster.Scheduler.RunUntil(cluster.Scheduler.NowUs + PeaceUsMax, () => IsBroken() || (application.HasEnded && IsAtRest(cluster, [])));
        if (IsBroken()) return ResultOf(seed, cluster, cluster.Acknowledgements);
        if (!application.HasEnded) cluster.Violate("application", $"it has not come to an end; {Describe(cluster, [])}");
        else if (application.Failure is { } failure) cluster.Violate("application", failure.ToString());
        else if (!IsAtRest(cluster, [])) cluster.Violate("convergence", Describe(cluster, []));
        else cluster.Finish();
        return ResultOf(seed, cluster, cluster.Acknowledgements);
    }

    private static SimResult RunCluster(ulong seed, SimCluster cluster, SilentFailures escapes)
    {
        Begin(cluster);
        var producers = Enumerable.Range(0, cluster.Profile.Producers)
            .Select(number => new SimProducer(cluster, 100 + number, number * 1_000_000L)).ToList();
        var consumers = Enumerable.Range(0, cluster.Profile.Consumers).Select(number => new SimConsumer(cluster, 200 + number)).ToList();
        foreach (var client in producers.Concat<SimClient>(consumers)) client.Begin();
        var adversary = new Adversary(cluster);
        adversary.Begin();
        Func<bool> isBroken = () => (cluster.Violation ??= escapes.First ?? Livelock(cluster)) is not null;
        cluster.Scheduler.RunUntil(cluster.Scheduler.NowUs + cluster.Profile.FaultsMs * 1000L, isBroken);
        adversary.End();
        MakePeace(cluster, producers, consumers, isBroken);
        return ResultOf(seed, cluster, producers.Sum(producer => producer.Acknowledged));
    }

    private static SimResult ResultOf(ulong seed, SimCluster cluster, int acknowledged) => new(
        seed, cluster.Violation, cluster.TraceHash, acknowledged, cluster.Lost,
        (cluster.PeekPartition()?.Record.LeaderEpoch.Value ?? 0) + 1, cluster.Scheduler.Events, cluster.TraceText);

    // Something that begins anew at once whenever it ends.
    private static string? Livelock(SimCluster cluster, long eventsMax = EventsMax) =>
        cluster.Scheduler.Events > eventsMax ? $"livelock: {eventsMax} events and no end" : null;

    private static void MakePeace(SimCluster cluster, List<SimProducer> producers, List<SimConsumer> consumers, Func<bool> isBroken)
    {
        if (isBroken()) return;
        // What went from the disks is still there for whoever begins now.
        if (cluster.Profile.Tiering is not null)
        {
            consumers.Add(new SimConsumer(cluster, 290));
            consumers[^1].Begin();
        }

        // Producers go on for a little: a cluster that has recovered serves them.
        var before = producers.Sum(producer => producer.Acknowledged);
        var limit = cluster.Scheduler.NowUs + PeaceUsMax;
        cluster.Scheduler.RunUntil(limit, () => isBroken() || producers.Sum(producer => producer.Acknowledged) > before + 3);
        foreach (var producer in producers) producer.IsStopping = true;
        cluster.Scheduler.RunUntil(limit, () => isBroken() || IsAtRest(cluster, consumers));
        if (isBroken()) return;
        if (producers.Sum(producer => producer.Acknowledged) <= before) cluster.Violate("availability", $"nothing was acknowledged after the faults had ended; {Describe(cluster, consumers)}");
        else if (!IsAtRest(cluster, consumers)) cluster.Violate("convergence", Describe(cluster, consumers));
        else if (!IsSwept(cluster, isBroken)) cluster.Violate("12 tiering", "what was never published is still in the store: " + string.Join(' ', cluster.Tiering.Orphans()));
        else if (!isBroken()) cluster.Finish();
    }

    // Hours later the next leader finds what others have left in the store.
    private static bool IsSwept(SimCluster cluster, Func<bool> isBroken)
    {
        if (cluster.Profile.Tiering is null) return true;
        // What was given up may still arrive for a while.
        cluster.Scheduler.RunUntil(cluster.Scheduler.NowUs + 40 * cluster.Profile.StoreDelayMaxUs, isBroken);
        // Whichever way the brokers' clocks have jumped.
        cluster.Store.Aged = TimeSpan.FromDays(100);
        foreach (var broker in cluster.Brokers.Where(broker => broker.Replica?.IsLeader == true)) broker.Stop();
        cluster.Scheduler.RunUntil(cluster.Scheduler.NowUs + PeaceUsMax, () => isBroken() || !cluster.Tiering.Orphans().Any());
        return isBroken() || !cluster.Tiering.Orphans().Any();
    }

    private static bool IsAtRest(SimCluster cluster, List<SimConsumer> consumers)
    {
        if (cluster.PeekPartition()?.Record is not { } record || record.InSync.Length < record.Replicas.Length) return false;
        if (!record.Adding.IsEmpty || !record.Removing.IsEmpty) return false;
        var ends = cluster.Replicas.Select(broker => broker.Shadow.End).Distinct().ToList();
        return ends.Count == 1 && ends[0] == cluster.Ledger.Current.End && consumers.All(consumer => consumer.Position == ends[0] && consumer.HasCompared)
            && cluster.Replicas.All(broker => broker.Replica?.HighWatermark == ends[0]);
    }

    private static string Describe(SimCluster cluster, List<SimConsumer> consumers) =>
        $"{cluster.PeekPartition()?.Record}; committed {cluster.Ledger.Current.End}; consumers {string.Join(' ', consumers.Select(consumer => consumer.Position))}; "
        + string.Join("; ", cluster.Brokers.Select(broker =>
            $"broker {broker.Id}: end {broker.Shadow.End} hw {broker.Replica?.HighWatermark} leads {broker.Replica?.IsLeader} failed {broker.Replica?.IsFailed} of epoch {broker.Record?.Epoch}"));
}
