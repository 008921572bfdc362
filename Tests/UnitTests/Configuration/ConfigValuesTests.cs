using System.Collections.Immutable;
using OrleansLog.Broker.Configuration;

namespace OrleansLog.UnitTests.Configuration;

public sealed class ConfigValuesTests
{
    private static ImmutableDictionary<string, string> Set(params (string Name, string Value)[] pairs) =>
        pairs.ToImmutableDictionary(p => p.Name, p => p.Value);

    [Fact]
    public void What_nobody_sets_is_the_default()
    {
        var entry = ConfigValues.Empty.Describe(TopicConfigs.MaxMessageBytes);

        Assert.Equal("1048588", entry.Value);
        Assert.True(entry.IsDefault);
        Assert.Equal(1_048_588, ConfigValues.Empty.Get(TopicConfigs.MaxMessageBytes));
    }

    [Fact]
    public void A_record_is_durable_before_it_is_acknowledged_by_default() =>
        Assert.Equal(1, ConfigValues.Empty.Get(TopicConfigs.FlushMessages));

    [Fact]
    public void A_topic_overrides_its_broker_and_the_broker_its_default()
    {
        var broker = ConfigValues.Empty.With(ConfigSource.StaticBroker, "log.segment.bytes", "2000000");
        var topic = broker.ForTopic(Set(("segment.bytes", "3000000")));

        Assert.Equal(2_000_000, broker.ForTopic(Set()).Get(TopicConfigs.SegmentBytes));
        Assert.Equal(3_000_000, topic.Get(TopicConfigs.SegmentBytes));
        Assert.Equal(
            [("segment.bytes", "3000000", ConfigSource.DynamicTopic), ("log.segment.bytes", "2000000", ConfigSource.StaticBroker),
                ("segment.bytes", "1073741824", ConfigSource.Default)],
            topic.Describe(TopicConfigs.SegmentBytes).Synonyms.Select(s => (s.Name, s.Value!, s.Source)));
    }

    [Fact]
    public void What_was_set_while_the_broker_ran_beats_what_it_was_started_with()
    {
        var broker = ConfigValues.Empty
            .With(ConfigSource.StaticBroker, "message.max.bytes", "100")
            .With(ConfigSource.DynamicDefaultBroker, "message.max.bytes", "200")
            .With(ConfigSource.DynamicBroker, "message.max.bytes", "300");

        Assert.Equal(300, broker.Get(TopicConfigs.MaxMessageBytes));
        Assert.Equal(ConfigSource.DynamicBroker, broker.Describe(TopicConfigs.MaxMessageBytes).Source);
        Assert.Equal(200, broker.With(ConfigSource.DynamicBroker, Set()).Get(TopicConfigs.MaxMessageBytes));
    }

    [Theory]
    [InlineData("log.retention.hours", "2", 7_200_000)]
    [InlineData("log.retention.minutes", "2", 120_000)]
    [InlineData("log.retention.ms", "2", 2)]
    [InlineData("log.retention.hours", "-1", -1)]
    [InlineData("log.retention.hours", "9000000000000000000", long.MaxValue)]
    public void Retention_falls_back_to_coarser_units(string name, string value, long expectedMs) =>
        Assert.Equal(expectedMs, ConfigValues.Empty.With(ConfigSource.StaticBroker, name, value).Get(TopicConfigs.RetentionMs));

    [Fact]
    public void The_finest_unit_of_retention_wins()
    {
        var broker = ConfigValues.Empty.With(ConfigSource.StaticBroker, Set(("log.retention.hours", "1"), ("log.retention.ms", "5")));

        var entry = broker.Describe(TopicConfigs.RetentionMs);

        Assert.Equal("5", entry.Value);
        Assert.Equal(("log.retention.hours", "1", "3600000"), (entry.Synonyms[1].Name, entry.Synonyms[1].Given, entry.Synonyms[1].Value));
    }

    [Fact]
    public void A_value_that_does_not_parse_counts_as_not_set()
    {
        var topic = ConfigValues.Empty.ForTopic(Set(("retention.ms", "P7D")));

        Assert.Equal(604_800_000, topic.Get(TopicConfigs.RetentionMs));
        Assert.Equal(ConfigSource.Default, topic.Describe(TopicConfigs.RetentionMs).Source);
    }

    [Fact]
    public void A_config_without_default_is_not_there_until_set()
    {
        var definition = (ConfigDefinition<long>)BrokerConfigs.All.Find("log.retention.ms")!;

        Assert.False(ConfigValues.Empty.TryGet(definition, out _));
        Assert.Throws<InvalidOperationException>(() => ConfigValues.Empty.Get(definition));
        Assert.Null(ConfigValues.Empty.Describe(definition).Value);
        Assert.Equal(7, ConfigValues.Empty.With(ConfigSource.StaticBroker, "log.retention.ms", "7").Get(definition));
    }
}
