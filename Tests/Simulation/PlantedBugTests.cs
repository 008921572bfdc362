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

    [Fact]
    public void A_follower_that_shows_what_is_not_committed_is_found() => Find(new KnowsTooMuch(), seedsMax: 20, readsFollowers: true);

    [Fact]
    public void Sending_again_what_no_broker_can_know_again_is_found() => Find(new SendsAgainWithoutNumbers(), seedsMax: 20, isIdempotent: true);

    [Fact]
    public void Compacting_what_is_not_committed_is_found() => Find(new CompactsTooMuch(), seedsMax: 400, isCompacted: true);

    [Fact]
    public void Going_on_where_tombstones_are_gone_is_found() => Find(new ForgetsTombstones(), seedsMax: 60, isCompacted: true);

    [Fact]
    public void Freeing_what_is_not_stored_is_found() => FindTiered(new FreesWhatIsNotStored(), seedsMax: 20);

    [Fact]
    public void Overwriting_a_manifest_that_is_another_by_now_is_found() => FindTiered(new OverwritesTheManifest(), seedsMax: 200);

    /// <summary>What a topic gives up is no excuse: who acknowledges too early loses more than that.</summary>
    [Theory]
    [InlineData(Promise.InMemory)]
    [InlineData(Promise.Availability)]
    public void A_mistake_is_found_in_topics_that_may_lose(Promise promise) => Find(new AcknowledgesTooEarly(), seedsMax: 20, promise);

    [Fact]
    public void A_loss_that_no_election_names_is_found() => Find(new TrustsEarlierProgress(), seedsMax: 60, Promise.InMemory);

    private void Find(PlantedBug bug, ulong seedsMax, Promise promise = Promise.Durable, bool readsFollowers = false, bool isIdempotent = false, bool isCompacted = false) =>
        Find(bug, seedsMax, promise, seed => FaultProfile.Draw(new(seed)) with { ReadsFollowers = readsFollowers, HasIdempotentProducers = isIdempotent, IsCompacted = isCompacted });

    private void FindTiered(PlantedBug bug, ulong seedsMax) => Find(bug, seedsMax, Promise.Durable, FaultProfile.DrawTiered);

    private void Find(PlantedBug bug, ulong seedsMax, Promise promise, Func<ulong, FaultProfile> draw)
    {
        for (ulong seed = 1; seed <= seedsMax; seed++)
        {
            if (SimRun.Run(seed, draw(seed), bug, promise: promise).Violation is not { } violation) continue;
            output.WriteLine($"{bug.GetType().Name}: seed {seed}: {violation}");
            return;
        }

        Assert.Fail($"{bug.GetType().Name} was not found within {seedsMax} seeds");
    }
}
