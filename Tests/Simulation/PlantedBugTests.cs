using OrleansLog.Simulation.Faults;

namespace OrleansLog.Simulation;

/// <summary>Shows that the simulator can fail: each of the known mistakes is found within a number of seeds.</summary>
public sealed class PlantedBugTests(ITestOutputHelper output)
{
    [Fact]
    public void Truncating_to_the_high_watermark_is_found() => Find(new TruncatesToHighWatermark(), seedsMax: 60);

    [Fact]
    public void Accepting_a_lower_epoch_is_found() => Find(new AcceptsLowerEpochs(), seedsMax: 60);

    [Fact]
    public void Trusting_earlier_progress_after_an_unclean_restart_is_found() => Find(new TrustsEarlierProgress(), seedsMax: 60);

    [Fact]
    public void Acknowledging_before_the_in_sync_set_holds_it_is_found() => Find(new AcknowledgesTooEarly(), seedsMax: 20);

    [Fact]
    public void Taking_a_corrupt_suffix_for_the_end_of_the_log_is_found() => Find(new TakesDamageForTheEnd(), seedsMax: 60);

    private void Find(PlantedBug bug, ulong seedsMax)
    {
        for (ulong seed = 1; seed <= seedsMax; seed++)
        {
            if (SimRun.Run(seed, bug: bug).Violation is not { } violation) continue;
            output.WriteLine($"{bug.GetType().Name}: seed {seed}: {violation}");
            return;
        }

        Assert.Fail($"{bug.GetType().Name} was not found within {seedsMax} seeds");
    }
}
