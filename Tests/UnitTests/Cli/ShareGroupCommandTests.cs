using OrleansLog.Client;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Cli;

/// <summary><c>olog groups</c> with a share group, against a broker of the embedded engine.</summary>
public sealed class ShareGroupCommandTests : IAsyncLifetime
{
    private TestBroker _broker = null!;
    private OrleansLogClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await TestBroker.StartAsync(config: [("share.coordinator.state.topic.num.partitions", "2"), ("offsets.topic.num.partitions", "2")]);
        await using var raw = await _broker.ConnectAsync();
        await raw.CreateTopicAsync("jobs");
        _client = new OrleansLogClient(_broker.EndPoint.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _broker.DisposeAsync();
    }

    private Task<OlogResult> RunAsync(string line) => OlogScript.RunAsync($"{line} --bootstrap {_broker.EndPoint}");

    [Fact]
    public async Task How_a_group_is_served_is_shown_and_changed()
    {
        Assert.Matches(@"consumer\.session\.timeout\.ms +45000 +default", (await RunAsync("groups config cooks")).Text);
        Assert.Contains("Changed 2 configurations of group 'cooks'", (await RunAsync("groups config cooks --config consumer.session.timeout.ms=50000 --config share.auto.offset.reset=earliest")).Text);
        var shown = (await RunAsync("groups config cooks")).Text;
        Assert.Matches(@"consumer\.session\.timeout\.ms +50000 +group", shown);
        Assert.Matches(@"share\.auto\.offset\.reset +earliest +group", shown);
        Assert.Equal([new ConfigResource(ConfigResourceType.Group, "cooks")], await _client.Admin.ListConfigResourcesAsync([ConfigResourceType.Group]));
        Assert.Contains("from 45000 to 60000", (await RunAsync("groups config cooks --config consumer.session.timeout.ms=1000")).Error);
        await RunAsync("groups config cooks --delete-config consumer.session.timeout.ms --delete-config share.auto.offset.reset");
        Assert.Empty(await _client.Admin.ListConfigResourcesAsync([ConfigResourceType.Group]));
        Assert.Contains(new ConfigResource(ConfigResourceType.Topic, "jobs"), await _client.Admin.ListConfigResourcesAsync());
    }

    [Fact]
    public async Task A_share_group_is_listed_described_moved_and_deleted()
    {
        await _client.Admin.AlterConfigsAsync(new(ConfigResourceType.Group, "mailers"), [ConfigChange.Set("share.auto.offset.reset", "earliest")]);
        await using (var producer = _client.CreateProducer<string, string>())
            await Task.WhenAll(Enumerable.Range(0, 5).Select(index => producer.ProduceAsync("jobs", null, $"{index}").AsTask()));
        await using (var consumer = _client.CreateShareConsumer<string, string>(new() { GroupId = "mailers" }))
        {
            consumer.Subscribe("jobs");
            await foreach (var record in consumer.ConsumeAsync())
            {
                if (record.Offset.Value == 2) break;
            }
            await consumer.CommitAsync();
            Assert.Matches("mailers +Stable +share", (await RunAsync("groups list --type share")).Text);
            var described = (await RunAsync("groups describe mailers")).Text;
            Assert.Contains("Group mailers: Stable, share", described);
            Assert.Matches("jobs +0 +3 +2 +1", described);
            Assert.Contains("has members", (await RunAsync("groups reset-offsets mailers --topic jobs --to earliest --execute")).Error);
        }

        Assert.Matches("jobs +0 +3 +1", (await RunAsync("groups reset-offsets mailers --topic jobs --shift-by -2 --execute")).Text);
        Assert.Matches("jobs +0 +1 +4 +0", (await RunAsync("groups describe mailers")).Text);
        Assert.Contains("Deleted group", (await RunAsync("groups delete mailers")).Text);
        Assert.DoesNotContain("mailers", (await RunAsync("groups list")).Text);
    }
}
