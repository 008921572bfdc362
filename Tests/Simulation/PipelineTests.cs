using OrleansLog.Simulation.Faults;
using OrleansLog.Simulation.Pipelines;

namespace OrleansLog.Simulation;

/// <summary>
/// Consume, transform, produce in transactions, on simulated brokers with production's coordinators, while clients, coordinators
/// and leaders crash. Seeds as for <see cref="SeedTests"/>.
/// </summary>
public sealed class PipelineTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_item_comes_out_once_for_readers_of_committed_records()
    {
        var (first, count) = (Seeds.First, Seeds.Count(30));
        var committed = 0;
        List<string> broken = [];
        for (var seed = first; seed < first + count; seed++)
        {
            var result = SimRun.RunPipeline(seed, keepsTrace: count == 1);
            if (count == 1) output.WriteLine(result.Trace);
            if (result.Violation is { } violation) broken.Add($"pipeline seed {seed}: {violation}");
            committed += result.Acknowledged;
        }

        output.WriteLine($"{count} seeds from {first}, {committed} transactions committed.");
        Assert.True(broken.Count == 0, string.Join(Environment.NewLine, broken));
        Assert.True(committed > (int)count * 5 || count < 10, "hardly a transaction was committed");
    }

    /// <summary>
    /// A member that its coordinator had dropped committed positions as one who is no member (67, 201); a member began after all
    /// others had come to their end, which was the pipeline's mistake (200555, 201274).
    /// </summary>
    [Theory]
    [InlineData(67)]
    [InlineData(201)]
    [InlineData(200555)]
    [InlineData(201274)]
    public void What_broke_once_does_not_break_again(ulong seed) => Assert.Null(SimRun.RunPipeline(seed).Violation);

    [Fact]
    public void A_seed_runs_the_same_twice()
    {
        var (first, second) = (SimRun.RunPipeline(7, keepsTrace: true), SimRun.RunPipeline(7, keepsTrace: true));
        Assert.Equal(first.Trace, second.Trace);
    }

    [Fact]
    public void Committing_positions_outside_the_transaction_is_found() => Find(PipelineMistake.PositionsOutside, seedsMax: 60);

    [Fact]
    public void Consuming_what_is_not_committed_is_found() => Find(PipelineMistake.ReadsUncommitted, seedsMax: 60);

    [Fact]
    public void A_coordinator_that_answers_before_the_commit_is_found() => Find(new AnswersBeforeCommit(), seedsMax: 200);

    [Fact]
    public void Positions_that_count_before_their_transaction_does_are_found() => Find(new ForgetsThatPositionsArePending(), seedsMax: 60);

    private void Find(PlantedBug bug, ulong seedsMax) => Find(bug.GetType().Name, seed => SimRun.RunPipeline(seed, bug), seedsMax);

    private void Find(PipelineMistake mistake, ulong seedsMax) => Find(mistake.ToString(), seed => SimRun.RunPipeline(seed, mistake: mistake), seedsMax);

    private void Find(string what, Func<ulong, SimResult> run, ulong seedsMax)
    {
        for (ulong seed = 1; seed <= seedsMax; seed++)
        {
            if (run(seed).Violation is not { } violation) continue;
            output.WriteLine($"{what}: seed {seed}: {violation}");
            return;
        }

        Assert.Fail($"{what} was not found within {seedsMax} seeds");
    }
}
