using OrleansLog.UnitTests.Support;
using static OrleansLog.UnitTests.Support.ClusterScript;

namespace OrleansLog.UnitTests.Cli;

/// <summary><c>olog tier</c> against a broker of the embedded engine.</summary>
public sealed class TierCommandTests : IAsyncLifetime
{
    private readonly DirectoryInfo _store = Directory.CreateTempSubdirectory("orleanslog-tiered-");
    private TestCluster _cluster = null!;

    public async ValueTask InitializeAsync() => _cluster = await TestCluster.StartAsync(1, ("remote.storage.directory", _store.FullName));

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _store.Delete(recursive: true);
    }

    [Fact]
    public async Task What_only_the_brokers_have_is_shown_with_its_age()
    {
        await CreateAsync(_cluster, "plain", 1);
        await CreateAsync(
            _cluster, "orders", 1, ("remote.storage.enable", "true"), ("segment.bytes", "1048576"), ("local.retention.bytes", "0"), ("retention.ms", "-1"));
        Assert.Matches("orders +0 +0 +nothing +0 +0 +0", (await StatusAsync()).Text);

        await ProduceAsync(_cluster, "orders", [.. Enumerable.Range(0, 5).Select(_ => new string('x', 400_000))]);
        var leader = _cluster.Broker(_cluster.LeaderOf("orders")).Partitions.Find(new("orders", 0))!;
        await leader.TierAsync(default);
        await leader.TidyAsync();

        // Two records a segment, and the time that the test's records have.
        var status = (await StatusAsync()).Text;
        Assert.Matches(@"orders +0 +0 +3 +4 +5 +1 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", status);
        Assert.DoesNotContain("plain", status, StringComparison.Ordinal);
        Assert.Matches("plain +0 +0 +nothing +0 +0 +0", (await StatusAsync("plain")).Text);
    }

    private Task<OlogResult> StatusAsync(string topic = "") => OlogScript.RunAsync($"tier status {topic} --bootstrap {_cluster.BootstrapFrom(new(0))}");
}
