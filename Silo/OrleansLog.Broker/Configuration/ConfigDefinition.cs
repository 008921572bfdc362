using System.Diagnostics.CodeAnalysis;

namespace OrleansLog.Broker.Configuration;

/// <summary>
/// One config that topics or brokers understand, under Kafka's name for it: how its text is read, what it may be, what
/// it is when nobody sets it. Immutable; the typed half is <see cref="ConfigDefinition{T}"/>.
/// </summary>
public abstract class ConfigDefinition
{
    private protected ConfigDefinition(string name, ConfigType type, string? defaultText, string documentation)
    {
        Name = name;
        Type = type;
        DefaultText = defaultText;
        Documentation = documentation;
    }

    public string Name { get; }

    public ConfigType Type { get; }

    /// <summary>The value when nobody sets one, as text; null where "not set" is itself a meaning.</summary>
    public string? DefaultText { get; }

    /// <summary>What it does, in a sentence or two, with what is accepted but not acted upon named as such.</summary>
    public string Documentation { get; }

    /// <summary>What the value may be, for people: <c>at least 1</c>, <c>one of: delete, compact</c>. Empty if anything goes.</summary>
    public string Allowed { get; internal init; } = "";

    public ConfigUpdate Update { get; private protected set; } = ConfigUpdate.ReadOnly;

    /// <summary>For a topic config, the broker configs that supply its default, the most specific first.</summary>
    public IReadOnlyList<ConfigSynonym> Synonyms { get; private protected set; } = [];

    /// <summary>The start option that decides this value (<c>--data</c>); such a config is shown but cannot be set by name.</summary>
    public string? SetByOption { get; private protected set; }

    /// <summary>Whether the value is a secret, which is never shown again.</summary>
    public bool IsSensitive => Type == ConfigType.Password;

    /// <summary>Null if <paramref name="text"/> is a value this config takes; otherwise what is wrong with it, for the user.</summary>
    public abstract string? Check(string? text);

    /// <summary>The same config under another name with another default: the broker's side of a topic's config.</summary>
    internal abstract ConfigDefinition As(string name, string? defaultText, string documentation);

    public override string ToString() => Name;
}

/// <summary>A config whose value is a <typeparamref name="T"/>: bool, int, long, double, string or a list of strings.</summary>
public sealed class ConfigDefinition<T> : ConfigDefinition
{
    private readonly ConfigParser<T> _parse;
    private readonly Func<T, bool>? _isAllowed;

    internal ConfigDefinition(
        string name, ConfigType type, string? defaultText, string documentation, ConfigParser<T> parse, Func<T, bool>? isAllowed)
        : base(name, type, defaultText, documentation)
    {
        _parse = parse;
        _isAllowed = isAllowed;
    }

    /// <summary>Reads <paramref name="text"/>; when it returns false, <paramref name="problem"/> says why, for the user.</summary>
    public bool TryParse(string? text, [MaybeNullWhen(false)] out T value, [NotNullWhen(false)] out string? problem)
    {
        value = default;
        problem = text is null ? $"{Name} needs a value"
            : !_parse(text.Trim(), out value) ? $"{Name}={Shown(text)} is not {Article(Type)}"
            : _isAllowed is not null && !_isAllowed(value!) ? $"{Name}={Shown(text)} is not allowed: it must be {Allowed}"
            : null;
        return problem is null;
    }

    public override string? Check(string? text) => TryParse(text, out _, out var problem) ? null : problem;

    internal override ConfigDefinition As(string name, string? defaultText, string documentation) =>
        new ConfigDefinition<T>(name, Type, defaultText, documentation, _parse, _isAllowed) { Allowed = Allowed, Update = Update };

    /// <summary>The same, changeable while the broker runs, with the broker configs that supply its default.</summary>
    internal ConfigDefinition<T> Dynamic(params ConfigSynonym[] synonyms)
    {
        var copy = (ConfigDefinition<T>)MemberwiseClone();
        copy.Update = ConfigUpdate.Dynamic;
        copy.Synonyms = synonyms;
        return copy;
    }

    /// <summary>The same, decided by a start option.</summary>
    internal ConfigDefinition<T> SetBy(string option)
    {
        var copy = (ConfigDefinition<T>)MemberwiseClone();
        copy.SetByOption = option;
        return copy;
    }

    private string Shown(string text) => IsSensitive ? "(hidden)" : text;

    private static string Article(ConfigType type) => type switch
    {
        ConfigType.Boolean => "true or false",
        ConfigType.Int => "a whole number of 32 bits",
        ConfigType.Long => "a whole number of 64 bits",
        ConfigType.Double => "a number",
        ConfigType.List => "a list separated by commas",
        _ => "text",
    };
}

/// <summary>Reads a value from trimmed text.</summary>
internal delegate bool ConfigParser<T>(string text, [MaybeNullWhen(false)] out T value);
