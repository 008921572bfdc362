using System.Collections.Frozen;
using System.Collections.Immutable;
using OrleansLog.Protocol;

namespace OrleansLog.Broker.Configuration;

/// <summary>
/// All configs of one kind of resource, by name, and the checks that a request for them passes. Immutable;
/// <see cref="TopicConfigs.All"/>, <see cref="BrokerConfigs.All"/> and <see cref="GroupConfigDefinitions.All"/> are those there are.
/// </summary>
public sealed class ConfigCatalogue
{
    private readonly FrozenDictionary<string, ConfigDefinition> _byName;
    private readonly string _kind;

    internal ConfigCatalogue(string kind, IEnumerable<ConfigDefinition> definitions)
    {
        _kind = kind;
        Definitions = [.. definitions.OrderBy(d => d.Name, StringComparer.Ordinal)];
        _byName = Definitions.ToFrozenDictionary(d => d.Name, StringComparer.Ordinal);
    }

    /// <summary>Every config, in the order of their names.</summary>
    public ImmutableArray<ConfigDefinition> Definitions { get; }

    public ConfigDefinition? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Null if <paramref name="name"/> may be set to <paramref name="value"/>; otherwise what is wrong, for the user.</summary>
    public string? Check(string name, string? value) => Find(name) switch
    {
        null => Unknown(name),
        { SetByOption: { } option } => $"{name} cannot be set by name; start the broker with {option} instead",
        var definition => definition.Check(value),
    };

    /// <summary>What to say about a name that is no config, with the nearest that is.</summary>
    public string Unknown(string name) =>
        NearestName.Find(name, _byName.Keys) is { } nearest
            ? $"{name} is not a {_kind} config; did you mean {nearest}?"
            : $"{name} is not a {_kind} config";

    /// <summary>
    /// Applies changes in order to a set of overrides. All or nothing: with the first change that cannot be made,
    /// <see cref="ErrorCode.InvalidConfig"/> (or <see cref="ErrorCode.InvalidRequest"/> for a senseless operation), the
    /// text of what is wrong, and the overrides as they were.
    /// </summary>
    /// <param name="current">What is set now.</param>
    /// <param name="changes">At most one change per name.</param>
    /// <param name="inForce">The value that a list config has now, whoever set it; appending starts from there.</param>
    public ConfigChangeResult Apply(
        ImmutableDictionary<string, string> current, IReadOnlyList<ConfigChange> changes, Func<ConfigDefinition, string?> inForce)
    {
        var next = current.ToBuilder();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var change in changes)
        {
            if (!seen.Add(change.Name))
                return new(ErrorCode.InvalidRequest, $"{change.Name} is changed twice in one request", current);
            if (Find(change.Name) is not { } definition)
                return new(ErrorCode.InvalidConfig, Unknown(change.Name), current);
            if (definition.Update is ConfigUpdate.ReadOnly)
                return new(ErrorCode.InvalidConfig, $"{change.Name} cannot change while the broker runs; give it at start: {AtStart(definition)}", current);
            if (change.Operation is ConfigOperation.Delete)
            {
                next.Remove(change.Name);
                continue;
            }
            if (change.Operation is not ConfigOperation.Set && definition.Type is not ConfigType.List)
                return new(ErrorCode.InvalidConfig, $"{change.Name} is not a list; it can only be set or deleted", current);
            var value = Combine(change, inForce(definition));
            if (Check(change.Name, value) is { } problem)
                return new(ErrorCode.InvalidConfig, problem, current);
            next[change.Name] = value!.Trim();
        }
        return new(ErrorCode.None, null, next.ToImmutable());
    }

    private static string AtStart(ConfigDefinition definition) => definition.SetByOption ?? $"--config {definition.Name}=VALUE";

    private static string? Combine(ConfigChange change, string? inForce) => change.Operation switch
    {
        ConfigOperation.Append => string.Join(',', Define.Split(inForce).Union(Define.Split(change.Value))),
        ConfigOperation.Subtract => string.Join(',', Define.Split(inForce).Except(Define.Split(change.Value))),
        _ => change.Value,
    };
}

/// <summary>The overrides after a change, or why nothing changed.</summary>
public readonly record struct ConfigChangeResult(ErrorCode Error, string? Message, ImmutableDictionary<string, string> Overrides);
