using System.Collections.Immutable;
using OrleansLog.Broker.Configuration;
using OrleansLog.Protocol;

namespace OrleansLog.UnitTests.Configuration;

public sealed class ConfigCatalogueTests
{
    private static readonly ImmutableDictionary<string, string> Nothing = ImmutableDictionary<string, string>.Empty;

    private static ConfigChangeResult Apply(ImmutableDictionary<string, string> current, params ConfigChange[] changes) =>
        TopicConfigs.All.Apply(current, changes, ConfigValues.Empty.ForTopic(current).Text);

    [Theory]
    [InlineData("retention.sm", "retention.sm is not a topic config; did you mean retention.ms?")]
    [InlineData("segment_bytes", "segment_bytes is not a topic config; did you mean segment.bytes?")]
    [InlineData("Flush.Messages", "Flush.Messages is not a topic config; did you mean flush.messages?")]
    [InlineData("x", "x is not a topic config")]
    public void An_unknown_name_is_answered_with_the_nearest_known_one(string name, string expected) =>
        Assert.Equal(expected, TopicConfigs.All.Check(name, "1"));

    [Theory]
    [InlineData("segment.bytes", "big", "segment.bytes=big is not a whole number of 32 bits")]
    [InlineData("segment.bytes", "5", "segment.bytes=5 is not allowed: it must be at least 1048576")]
    [InlineData("max.message.bytes", "2000000000", "max.message.bytes=2000000000 is not allowed: it must be from 0 to 105906176")]
    [InlineData("cleanup.policy", "keep", "cleanup.policy=keep is not allowed: it must be one or more of: delete, compact")]
    [InlineData("message.timestamp.type", "createtime", "message.timestamp.type=createtime is not allowed: it must be one of: CreateTime, LogAppendTime")]
    [InlineData("min.insync.replicas", "0", "min.insync.replicas=0 is not allowed: it must be at least 1")]
    [InlineData("preallocate", "1", "preallocate=1 is not true or false")]
    [InlineData("min.cleanable.dirty.ratio", "1.5", "min.cleanable.dirty.ratio=1.5 is not allowed: it must be from 0 to 1")]
    [InlineData("retention.ms", null, "retention.ms needs a value")]
    public void A_wrong_value_is_answered_with_what_would_be_right(string name, string? value, string expected) =>
        Assert.Equal(expected, TopicConfigs.All.Check(name, value));

    [Theory]
    [InlineData("max.message.bytes", "104857600")]
    [InlineData("cleanup.policy", "compact, delete")]
    [InlineData("retention.ms", "-1")]
    [InlineData("flush.messages", "9223372036854775807")]
    [InlineData("min.cleanable.dirty.ratio", "0.01")]
    public void What_existing_tools_set_is_taken(string name, string value) => Assert.Null(TopicConfigs.All.Check(name, value));

    [Fact]
    public void Every_default_is_a_value_its_config_takes() =>
        Assert.All(
            TopicConfigs.All.Definitions.Concat(BrokerConfigs.All.Definitions).Where(d => d.DefaultText is not null),
            d => Assert.Null(d.Check(d.DefaultText)));

    [Fact]
    public void Every_topic_config_is_in_the_catalogue() =>
        Assert.Equal(
            typeof(TopicConfigs).GetFields().Select(f => f.GetValue(null)).OfType<ConfigDefinition>().Select(d => d.Name).Order(StringComparer.Ordinal),
            TopicConfigs.All.Definitions.Select(d => d.Name));

    [Fact]
    public void Every_synonym_of_a_topic_config_is_a_broker_config() =>
        Assert.All(TopicConfigs.All.Definitions.SelectMany(d => d.Synonyms), s => Assert.NotNull(BrokerConfigs.All.Find(s.Name)));

    [Fact]
    public void A_brokers_side_of_a_topic_config_has_its_own_unit_and_default()
    {
        Assert.Equal("168", BrokerConfigs.All.Find("log.retention.hours")!.DefaultText);
        Assert.Null(BrokerConfigs.All.Find("log.retention.ms")!.DefaultText);
        Assert.Equal("1", BrokerConfigs.All.Find("log.flush.interval.messages")!.DefaultText);
    }

    [Fact]
    public void What_an_option_decides_cannot_be_set_by_name() =>
        Assert.Equal("log.dirs cannot be set by name; start the broker with --data DIR instead", BrokerConfigs.All.Check("log.dirs", "/tmp"));

    [Fact]
    public void Changes_set_delete_append_and_subtract()
    {
        var result = Apply(
            Nothing.Add("retention.ms", "5").Add("segment.ms", "6"),
            new("segment.ms", ConfigOperation.Set, "7"),
            new("retention.ms", ConfigOperation.Delete, null),
            new("cleanup.policy", ConfigOperation.Append, "compact"));

        Assert.Equal(ErrorCode.None, result.Error);
        Assert.Equal(Nothing.Add("segment.ms", "7").Add("cleanup.policy", "delete,compact").OrderBy(p => p.Key), result.Overrides.OrderBy(p => p.Key));
        Assert.Equal("compact", Apply(result.Overrides, new ConfigChange("cleanup.policy", ConfigOperation.Subtract, "delete")).Overrides["cleanup.policy"]);
    }

    [Fact]
    public void One_wrong_change_leaves_everything_as_it_was()
    {
        var before = Nothing.Add("segment.ms", "6");

        var result = Apply(before, new("segment.ms", ConfigOperation.Set, "7"), new("segment.bytes", ConfigOperation.Append, "1"));

        Assert.Equal(ErrorCode.InvalidConfig, result.Error);
        Assert.Equal("segment.bytes is not a list; it can only be set or deleted", result.Message);
        Assert.Same(before, result.Overrides);
    }

    [Fact]
    public void A_change_named_twice_is_refused() =>
        Assert.Equal(
            ErrorCode.InvalidRequest,
            Apply(Nothing, new("segment.ms", ConfigOperation.Set, "7"), new("segment.ms", ConfigOperation.Delete, null)).Error);

    [Fact]
    public void A_read_only_config_does_not_change_while_the_broker_runs()
    {
        var result = BrokerConfigs.All.Apply(Nothing, [new("num.partitions", ConfigOperation.Set, "3")], ConfigValues.Empty.Text);

        Assert.Equal(ErrorCode.InvalidConfig, result.Error);
        Assert.Equal("num.partitions cannot change while the broker runs; give it at start: --config num.partitions=VALUE", result.Message);
    }
}
