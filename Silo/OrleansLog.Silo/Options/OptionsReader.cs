using OrleansLog.Broker.Configuration;

namespace OrleansLog.Silo.Options;

/// <summary>Makes options out of sources, checking every value wherever it came from.</summary>
internal static class OptionsReader
{
    /// <summary>The options that result when later sources override earlier ones.</summary>
    /// <exception cref="StartException">A value or a config name is wrong; the message names the source and what would be right.</exception>
    public static SiloOptions Read(params IReadOnlyList<SettingSource> sources)
    {
        var options = sources.SelectMany(s => s.Settings).Aggregate(new SiloOptions(), Set);
        return options with { Config = sources.SelectMany(s => s.Configs).Aggregate(options.Config, SetConfig) };
    }

    private static SiloOptions Set(SiloOptions options, (Setting Setting, string Text, string Shown) given)
    {
        var result = given.Setting.Read(options, given.Text, out var mustBe);
        var shown = given.Setting.IsSecret ? given.Shown : $"{given.Shown} is '{given.Text}' but";
        return mustBe is null ? result : throw new StartException(ExitCode.Usage, $"{shown} must be {mustBe}");
    }

    private static ConfigValues SetConfig(ConfigValues config, (string Name, string Text, string Shown) given)
    {
        if (BrokerConfigs.All.Check(given.Name, given.Text) is { } problem)
            throw new StartException(ExitCode.Usage, $"{given.Shown}: {OfTopic(given.Name) ?? problem}");
        return config.With(ConfigSource.StaticBroker, given.Name, given.Text.Trim());
    }

    /// <summary>People reach for a topic config's own name; what they want is the broker's name for its default.</summary>
    private static string? OfTopic(string name) =>
        BrokerConfigs.All.Find(name) is null && TopicConfigs.All.Find(name) is { } topic
            ? topic.Synonyms is [var synonym, ..]
                ? $"{name} is a config of topics; {synonym.Name} is its default for all of them"
                : $"{name} is a config of topics; set it on a topic"
            : null;
}
