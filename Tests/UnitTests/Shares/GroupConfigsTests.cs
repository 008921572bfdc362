using System.Collections.Concurrent;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Shares;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Shares;

/// <summary>What was set for groups, as the brokers hear of it.</summary>
public sealed class GroupConfigsTests
{
    private readonly ManualClock _clock = new();
    private readonly MemoryRegister _register = new();

    private GroupConfigs NewBroker() => new(_register, ConfigValues.Empty, _clock);

    private static async Task ChangeAsync(GroupConfigs at, params ConfigChange[] changes) =>
        Assert.Equal(ErrorCode.None, (await at.AlterAsync("g", current => GroupConfigDefinitions.Apply(current, changes, ConfigValues.Empty), validateOnly: false, default)).Error);

    [Fact]
    public async Task Another_broker_serves_a_group_by_what_was_set_ten_seconds_later_at_most()
    {
        var (one, other) = (NewBroker(), NewBroker());
        Assert.Null(other.FindTimings("g"));
        await ChangeAsync(one, new ConfigChange("consumer.session.timeout.ms", ConfigOperation.Set, "50000"));
        Assert.Equal(50_000, one.FindTimings("g")!.ConsumerSessionTimeoutMs);
        _clock.AdvanceMs(10_000);
        other.FindTimings("g");
        Assert.Equal((50_000, 5_000), (other.FindTimings("g")!.ConsumerSessionTimeoutMs, other.FindTimings("g")!.ConsumerHeartbeatIntervalMs));
        Assert.Equal(["g"], await other.ListGroupsAsync(default));

        await ChangeAsync(one, new ConfigChange("consumer.session.timeout.ms", ConfigOperation.Delete, null));
        Assert.Null(one.FindTimings("g"));
        _clock.AdvanceMs(10_000);
        other.FindTimings("g");
        Assert.Null(other.FindTimings("g"));
        Assert.Empty(await other.ListGroupsAsync(default));
    }

    [Fact]
    public async Task A_register_that_does_not_answer_leaves_what_is_known_in_force()
    {
        var broker = NewBroker();
        await ChangeAsync(broker, new ConfigChange("share.session.timeout.ms", ConfigOperation.Set, "50000"));
        _register.IsAway = true;
        for (var i = 0; i < 3; i++, _clock.AdvanceMs(10_000))
            Assert.Equal(50_000, broker.FindTimings("g")!.ShareSessionTimeoutMs);
    }

    [Theory]
    [InlineData("consumer.heartbeat.interval.ms", "20000")]
    [InlineData("consumer.session.timeout.ms", "44999")]
    [InlineData("share.session.timeout.ms", "60001")]
    [InlineData("share.heartbeat.interval.ms", "x")]
    [InlineData("consumer.sesion.timeout.ms", "50000")]
    public async Task What_the_brokers_do_not_allow_is_refused(string name, string value)
    {
        var answer = await NewBroker().AlterAsync(
            "g", current => GroupConfigDefinitions.Apply(current, [new(name, ConfigOperation.Set, value)], ConfigValues.Empty), validateOnly: false, default);
        Assert.Equal(ErrorCode.InvalidConfig, answer.Error);
    }

    [Fact]
    public void A_session_must_outlast_a_heartbeat()
    {
        var broker = ConfigValues.Empty.With(ConfigSource.StaticBroker, "group.consumer.max.heartbeat.interval.ms", "50000");
        Assert.Contains("longer than", GroupConfigDefinitions.Apply([], [new("consumer.heartbeat.interval.ms", ConfigOperation.Set, "45000")], broker).Message);
    }

    /// <summary>Answers at once.</summary>
    private sealed class MemoryRegister : IMetadataRegister
    {
        private readonly ConcurrentDictionary<string, RegisterEntry> _entries = new();
        private long _version;

        public bool IsAway { get; set; }

        public ValueTask<RegisterEntry?> GetAsync(string key, CancellationToken cancellationToken) => new(_entries.GetValueOrDefault(key));

        public ValueTask<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken) => IsAway
            ? throw new IOException("The register does not answer.")
            : new((IReadOnlyList<string>)[.. _entries.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal)]);

        public ValueTask<RegisterVersion?> PutAsync(string key, ReadOnlyMemory<byte> document, RegisterVersion? expected, CancellationToken cancellationToken)
        {
            var entry = _entries[key] = new(document, new RegisterVersion(++_version));
            return new(entry.Version);
        }

        public ValueTask<bool> DeleteAsync(string key, RegisterVersion expected, CancellationToken cancellationToken) => new(_entries.TryRemove(key, out _));
    }
}
