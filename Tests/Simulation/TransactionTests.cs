using OrleansLog.Simulation.Faults;

namespace OrleansLog.Simulation;

/// <summary>Transactions under faults: what readers of committed records see, and that mistakes with it are found.</summary>
public sealed class TransactionTests(ITestOutputHelper output)
{
    [Fact]
    public void A_committed_transaction_is_read_whole_and_once_and_an_aborted_one_not_at_all()
    {
        var (first, count) = (Seeds.First, Seeds.Count(60));
        var ended = 0;
        for (var seed = first; seed < first + count; seed++)
        {
            var result = SimRun.RunTransactions(seed);
            Assert.True(result.Violation is null, $"seed {seed}: {result.Violation}");
            ended += result.Acknowledged;
        }

        output.WriteLine($"{count} seeds from {first}, {ended} transactions.");
        Assert.True(ended > (int)count * 5, "hardly a transaction came to its end");
    }

    [Fact]
    public void A_seed_runs_the_same_twice()
    {
        var (first, second) = (SimRun.RunTransactions(7, keepsTrace: true), SimRun.RunTransactions(7, keepsTrace: true));
        Assert.Equal(first.Trace, second.Trace);
    }

    [Fact]
    public void Taking_the_marker_of_a_deposed_coordinator_is_found() => Find(new AcceptsDeposedCoordinators(), seedsMax: 60);

    [Fact]
    public void Showing_open_transactions_is_found() => Find(new ShowsOpenTransactions(), seedsMax: 5);

    [Fact]
    public void Forgetting_aborted_transactions_over_a_restart_is_found() => Find(new ForgetsAbortedTransactions(), seedsMax: 60);

    private void Find(PlantedBug bug, ulong seedsMax)
    {
        for (ulong seed = 1; seed <= seedsMax; seed++)
        {
            if (SimRun.RunTransactions(seed, bug).Violation is not { } violation) continue;
            output.WriteLine($"{bug.GetType().Name}: seed {seed}: {violation}");
            return;
        }

        Assert.Fail($"{bug.GetType().Name} was not found within {seedsMax} seeds");
    }
}
