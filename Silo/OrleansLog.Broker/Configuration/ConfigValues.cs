using System.Collections.Immutable;
using System.Globalization;

namespace OrleansLog.Broker.Configuration;

/// <summary>
/// What is set, and what therefore holds, for a broker or (after <see cref="ForTopic"/>) for one of its topics, or for a group.
/// Immutable, any thread. Reading a value parses text: keep what a hot path needs.
/// </summary>
/// <remarks>
/// A topic's value is the one set on the topic; else that of the first broker config among its synonyms that is set; else
/// the default. A broker's value is the one set on this broker while it ran, for all brokers while they ran, at start.
/// </remarks>
public sealed class ConfigValues
{
    private static readonly ImmutableDictionary<string, string> Nothing = ImmutableDictionary.Create<string, string>(StringComparer.Ordinal);
    private static readonly ImmutableArray<ConfigSource> BrokerSources =
        [ConfigSource.DynamicBroker, ConfigSource.DynamicDefaultBroker, ConfigSource.StaticBroker];

    private readonly ImmutableDictionary<ConfigSource, ImmutableDictionary<string, string>> _layers;

    private ConfigValues(ImmutableDictionary<ConfigSource, ImmutableDictionary<string, string>> layers) => _layers = layers;

    /// <summary>A broker on which nothing is set.</summary>
    public static ConfigValues Empty { get; } = new(ImmutableDictionary<ConfigSource, ImmutableDictionary<string, string>>.Empty);

    /// <summary>What was set at one level; names and values as they were given.</summary>
    public ImmutableDictionary<string, string> Overrides(ConfigSource source) => _layers.GetValueOrDefault(source, Nothing);

    /// <summary>The same with one level replaced. The values must have passed <see cref="ConfigCatalogue.Check"/>.</summary>
    public ConfigValues With(ConfigSource source, ImmutableDictionary<string, string> overrides)
    {
        if (source is ConfigSource.Default or ConfigSource.Unknown)
            throw new ArgumentOutOfRangeException(nameof(source), source, "defaults are not set");
        return new(_layers.SetItem(source, overrides));
    }

    /// <summary>The same with one more value at one level.</summary>
    public ConfigValues With(ConfigSource source, string name, string value) => With(source, Overrides(source).SetItem(name, value));

    /// <summary>What holds for a topic of this broker that sets <paramref name="overrides"/>.</summary>
    public ConfigValues ForTopic(ImmutableDictionary<string, string> overrides) => With(ConfigSource.DynamicTopic, overrides);

    /// <summary>What holds for a group that sets <paramref name="overrides"/>.</summary>
    public ConfigValues ForGroup(ImmutableDictionary<string, string> overrides) => With(ConfigSource.DynamicGroup, overrides);

    /// <summary>
    /// The value in force. A value that does not parse (a file written by a later release, say) counts as not set.
    /// </summary>
    /// <exception cref="InvalidOperationException">The config is not set and has no default: ask <see cref="TryGet"/>.</exception>
    public T Get<T>(ConfigDefinition<T> definition) =>
        TryGet(definition, out var value)
            ? value
            : throw new InvalidOperationException($"{definition.Name} is not set and has no default");

    /// <summary>The value in force; false if the config is not set and has no default.</summary>
    public bool TryGet<T>(ConfigDefinition<T> definition, out T value)
    {
        foreach (var candidate in Candidates(definition))
        {
            if (definition.TryParse(candidate.Value, out value!, out _))
                return true;
        }
        value = default!;
        return false;
    }

    /// <summary>The value in force with where it came from and everything else that would have held in its place.</summary>
    public ConfigEntry Describe(ConfigDefinition definition)
    {
        ImmutableArray<ConfigCandidate> candidates = [.. Candidates(definition)];
        var winner = candidates.FirstOrDefault(c => definition.Check(c.Value) is null, new(definition.Name, null, null, ConfigSource.Default));
        return new(definition, winner.Value, winner.Source, candidates);
    }

    /// <summary>The text in force, null if not set.</summary>
    public string? Text(ConfigDefinition definition) => Describe(definition).Value;

    private IEnumerable<ConfigCandidate> Candidates(ConfigDefinition definition)
    {
        if (Overrides(ConfigSource.DynamicGroup).TryGetValue(definition.Name, out var groups))
            yield return new(definition.Name, groups, groups, ConfigSource.DynamicGroup);
        if (Overrides(ConfigSource.DynamicTopic).TryGetValue(definition.Name, out var own))
            yield return new(definition.Name, own, own, ConfigSource.DynamicTopic);
        foreach (var synonym in definition.Synonyms.DefaultIfEmpty(new ConfigSynonym(definition.Name)))
        {
            foreach (var source in BrokerSources)
            {
                if (Overrides(source).TryGetValue(synonym.Name, out var value))
                    yield return new(synonym.Name, value, Scaled(value, synonym.Scale), source);
            }
        }
        if (definition.DefaultText is { } text)
            yield return new(definition.Name, text, text, ConfigSource.Default);
    }

    /// <summary>Hours as milliseconds, and so on; a negative number stays as it is, for it means "no limit" in every unit.</summary>
    private static string Scaled(string text, long scale) =>
        scale != 1 && long.TryParse(text, CultureInfo.InvariantCulture, out var number) && number > 0
            ? (number > long.MaxValue / scale ? long.MaxValue : number * scale).ToString(CultureInfo.InvariantCulture)
            : text;
}

/// <summary>
/// One of the values that a config could take: the name by which it was set, the text it was set to there, and the same
/// in the unit of the config that asks (hours in the one, milliseconds in the other).
/// </summary>
public readonly record struct ConfigCandidate(string Name, string? Given, string? Value, ConfigSource Source);

/// <summary>
/// A config as DescribeConfigs reports it. <paramref name="Synonyms"/> begins with the value in force, as in Kafka.
/// A sensitive value is in <paramref name="Value"/> in clear: whoever answers a request leaves it out.
/// </summary>
public sealed record ConfigEntry(
    ConfigDefinition Definition, string? Value, ConfigSource Source, ImmutableArray<ConfigCandidate> Synonyms)
{
    public bool IsDefault => Source is ConfigSource.Default;

    public bool IsReadOnly => Definition.Update is ConfigUpdate.ReadOnly;
}
