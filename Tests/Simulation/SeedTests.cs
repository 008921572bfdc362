using System.Diagnostics;
using System.Globalization;
using OrleansLog.Simulation.Faults;

namespace OrleansLog.Simulation;

/// <summary>
/// Seeds, fixed and fresh. To repeat one: <c>ORLEANSLOG_SEED=N</c>; to run more: <c>ORLEANSLOG_SEEDS=N</c> (a count) and
/// <c>ORLEANSLOG_FIRST_SEED=N</c>.
/// </summary>
public sealed class SeedTests(ITestOutputHelper output)
{
    [Fact]
    public void A_seed_runs_the_same_twice()
    {
        for (ulong seed = 1; seed <= 5; seed++)
        {
            var first = SimRun.Run(seed, keepsTrace: true);
            var second = SimRun.Run(seed, keepsTrace: true);
            Assert.Equal(first.Trace, second.Trace);
            Assert.Equal((first.TraceHash, first.Events), (second.TraceHash, second.Events));
        }
    }

    /// <summary>
    /// Seeds that once broke something: a replica that left by itself and was taken in again for what it had said before
    /// (55); records appended to a file that a restart took for sealed (75); pages taken for durable after a failed flush
    /// (1049); offsets that changed outside of the CRC (215); a lone damaged leader that kept its damage in company (182); a
    /// log start amid a batch, or unknown to the next leader (198, 1380); a move given up under its own leader (1300); a lone
    /// damaged leader that would not give way to one who had everything (1403), nor when that one came back later (5159,
    /// 87027); a last batch that was believed its offset after damage (1864); a broker's identity that a crash cut short
    /// (2285); the lost end of a log that nobody missed (3649, 28833); a change of the record that was made from an earlier
    /// one than it replaced (7303); an unclean restart that led while others, restarted cleanly, had everything (30932); a
    /// failed flush that left nobody to lead (74076); a damaged log that was cut before its replica had left the in-sync set
    /// (80493); a move that ended with too few in sync (256902); damage that was taken for another history (237328); a batch
    /// that passed for the damaged one before it (297034); bytes written to the wrong place that made one whole batch out of
    /// another (285358); what an earlier leader had written behind all that was deleted (345063); a log start amid a batch
    /// in the place of which the leader had another (392027); segments that were deleted without a word, and missed after a
    /// crash (464935); a segment that was taken for never flushed, because what lay between it and the checkpoint was deleted
    /// with no room to say so there (806615); a stop amid a repair that passed for a clean one (10021088); a leader that did not
    /// hear of it when a member left by itself and was restarted before the two had met (10067692); an earlier leader's records
    /// that an idle partition kept (10104991, 10128617); a stop after a flush that failed while nobody
    /// wrote, which passed for a clean one (30117218); batches that a failed write had left behind and a crash brought back in the
    /// place of what had followed (110139148); a torn tail of which the offset alone was missing, taken for damage
    /// (200013188). In 442451 the checker took what an earlier leader had left with a third broker
    /// for what a damaged one commits, and in 110121843 what a log had deleted for a part of it.
    /// </summary>
    [Theory]
    [InlineData(49)]
    [InlineData(55)]
    [InlineData(75)]
    [InlineData(182)]
    [InlineData(198)]
    [InlineData(215)]
    [InlineData(1049)]
    [InlineData(1300)]
    [InlineData(1380)]
    [InlineData(1403)]
    [InlineData(1864)]
    [InlineData(2285)]
    [InlineData(3649)]
    [InlineData(5159)]
    [InlineData(7303)]
    [InlineData(28833)]
    [InlineData(30932)]
    [InlineData(74076)]
    [InlineData(80493)]
    [InlineData(87027)]
    [InlineData(237328)]
    [InlineData(256902)]
    [InlineData(285358)]
    [InlineData(297034)]
    [InlineData(345063)]
    [InlineData(386189)]
    [InlineData(392027)]
    [InlineData(442451)]
    [InlineData(452959)]
    [InlineData(464935)]
    [InlineData(806615)]
    [InlineData(10021088)]
    [InlineData(10067692)]
    [InlineData(10104991)]
    [InlineData(10128617)]
    [InlineData(30117218)]
    [InlineData(110121843)]
    [InlineData(110139148)]
    [InlineData(200013188)]
    public void What_broke_once_does_not_break_again(ulong seed) => Assert.Null(SimRun.Run(seed).Violation);

    [Fact]
    public void No_invariant_breaks_whatever_goes_wrong()
    {
        var first = Seeds.First;
        var count = Seeds.Count(100);
        var watch = Stopwatch.StartNew();
        long events = 0, acknowledged = 0, epochs = 0;
        for (var seed = first; seed < first + count; seed++)
        {
            var result = SimRun.Run(seed, keepsTrace: count == 1);
            if (count == 1) output.WriteLine(result.Trace);
            Assert.True(result.Violation is null, $"seed {seed}: {result.Violation}");
            (events, acknowledged, epochs) = (events + result.Events, acknowledged + result.Acknowledged, epochs + result.Epochs);
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{count} seeds from {first}, {count / watch.Elapsed.TotalSeconds:F1} seeds per second; {events} events, {acknowledged} acknowledged batches, {epochs} leaderships"));
    }

    [Fact]
    public void Compaction_takes_nothing_that_counts_and_brings_nothing_back()
    {
        var first = Seeds.First;
        var count = Seeds.Count(60);
        for (var seed = first; seed < first + count; seed++)
        {
            var profile = FaultProfile.Draw(new(seed)) with { IsCompacted = true, HasIdempotentProducers = seed % 2 == 0, ReadsFollowers = seed % 3 == 0 };
            var result = SimRun.Run(seed, profile, keepsTrace: count == 1);
            if (count == 1) output.WriteLine(result.Trace);
            Assert.True(result.Violation is null, $"seed {seed}: {result.Violation}");
        }
    }

    [Fact]
    public void What_went_from_the_disks_is_in_the_remote_store_whatever_goes_wrong()
    {
        var (first, count) = (Seeds.First, Seeds.Count(60));
        for (var seed = first; seed < first + count; seed++)
        {
            var result = SimRun.Run(seed, FaultProfile.DrawTiered(seed), keepsTrace: count == 1);
            if (count == 1) output.WriteLine(result.Trace);
            Assert.True(result.Violation is null, $"tiered seed {seed}: {result.Violation}");
        }
    }

    /// <summary>
    /// A manifest that was written after its writer had given up, and had the same segment uploaded again and again (1053);
    /// damage in what was deleted, which kept everything after it from the store (1753); a segment that such a manifest named,
    /// swept as one that none did (1328, 600004076), or by a leader that was deposed meanwhile (700007311); a manifest that was
    /// taken for deleted while it was written (600001599). What a later leader had stored, taken for damage by one that was deposed
    /// while it waited for the store (800014524).
    /// </summary>
    [Theory]
    [InlineData(1053)]
    [InlineData(1328)]
    [InlineData(1753)]
    [InlineData(600001599)]
    [InlineData(600004076)]
    [InlineData(700007311)]
    [InlineData(800014524)]
    public void What_broke_once_in_the_remote_store_does_not_break_again(ulong seed) => Assert.Null(SimRun.Run(seed, FaultProfile.DrawTiered(seed)).Violation);

    /// <summary>
    /// The same for other promises: a reader that trusted the last end of a leadership it had read only in part (InMemory
    /// 2564), or had begun where another log does not (InMemory 2867); a deletion of two branches ago (Availability 1077); a
    /// reader that went back further than what it had read, or twice (Availability 2083, InMemory 2973); a deleted batch that
    /// a new branch was taken to have, in the place of which its leader had another (Availability 21092).
    /// </summary>
    [Theory]
    [InlineData(Promise.InMemory, 2564)]
    [InlineData(Promise.InMemory, 2867)]
    [InlineData(Promise.InMemory, 2973)]
    [InlineData(Promise.Availability, 1077)]
    [InlineData(Promise.Availability, 2083)]
    [InlineData(Promise.Availability, 21092)]
    public void What_broke_once_under_another_promise_does_not_break_again(Promise promise, ulong seed) =>
        Assert.Null(SimRun.Run(seed, promise: promise).Violation);

    /// <summary>The same where readers read from followers, and turned to the leader too seldom.</summary>
    [Theory]
    [InlineData(686)]
    [InlineData(2803)]
    public void What_broke_once_for_readers_of_followers_does_not_break_again(ulong seed) =>
        Assert.Null(SimRun.Run(seed, FaultProfile.Draw(new(seed)) with { ReadsFollowers = true }).Violation);

    [Fact]
    public void Followers_show_nothing_that_is_not_committed()
    {
        var first = Seeds.First;
        var count = Seeds.Count(100);
        for (var seed = first; seed < first + count; seed++)
        {
            var result = SimRun.Run(seed, FaultProfile.Draw(new(seed)) with { ReadsFollowers = true }, keepsTrace: count == 1);
            if (count == 1) output.WriteLine(result.Trace);
            var violation = result.Violation;
            Assert.True(violation is null, $"followers seed {seed}: {violation}");
        }
    }

    /// <summary>A batch that is sent until it is acknowledged lies in the log once, through changes of leaders, crashes and lost disks.</summary>
    [Fact]
    public void What_an_idempotent_producer_sends_again_is_stored_once()
    {
        var (first, count) = (Seeds.First, Seeds.Count(100));
        for (var seed = first; seed < first + count; seed++)
        {
            var result = SimRun.Run(seed, FaultProfile.Draw(new(seed)) with { HasIdempotentProducers = true }, keepsTrace: count == 1);
            if (count == 1) output.WriteLine(result.Trace);
            Assert.True(result.Violation is null, $"idempotent seed {seed}: {result.Violation}");
        }
    }

    /// <summary>What a topic has given up may be lost, and is lost in some seeds; nothing else is.</summary>
    [Theory]
    [InlineData(Promise.InMemory)]
    [InlineData(Promise.Availability)]
    public void Only_what_the_topic_gave_up_is_lost(Promise promise)
    {
        var first = Seeds.First;
        var count = Seeds.Count(100);
        var lost = 0;
        for (var seed = first; seed < first + count; seed++)
        {
            var result = SimRun.Run(seed, keepsTrace: count == 1, promise: promise);
            if (count == 1) output.WriteLine(result.Trace);
            Assert.True(result.Violation is null, $"{promise} seed {seed}: {result.Violation}");
            lost += result.Lost;
        }

        output.WriteLine($"{promise}: {count} seeds from {first}, {lost} acknowledged records lost as the topic allows");
        Assert.True(lost > 0 || count < 100, "no seed lost anything: the check has seen nothing");
    }
}
