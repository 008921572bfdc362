using System.Collections;
using System.Text.Json;
using OrleansLog.Broker.Configuration;

namespace OrleansLog.Silo.Options;

/// <summary>
/// Settings as one source gave them: texts by setting, configs by name, each with the words by which the source calls it.
/// </summary>
internal sealed record SettingSource
{
    public List<(Setting Setting, string Text, string Shown)> Settings { get; } = [];

    public List<(string Name, string Text, string Shown)> Configs { get; } = [];
}

/// <summary>Reads the environment and the settings file. Whatever is not known there is an error that names the nearest.</summary>
internal static class SettingSources
{
    public const string VariablePrefix = "OLOG_";
    public const string Section = "OrleansLog";
    public const string FileName = "appsettings.json";

    /// <summary>What variables with the same prefix begin with that the command line client and the interop tests read.</summary>
    private static readonly string[] OthersVariables = ["OLOG_BOOTSTRAP", "OLOG_INTEROP_"];

    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>
    /// <c>OLOG_KAFKA_PORT=9093</c>; configs as <c>OLOG_CONFIG_LOG_RETENTION_MS=1000</c>, which shells can set, or with the
    /// config's own name, <c>OLOG_CONFIG__log.retention.ms=1000</c>.
    /// </summary>
    public static SettingSource FromEnvironment(IDictionary variables)
    {
        var source = new SettingSource();
        var known = Settings.All.Select(s => s.Variable).Append("OLOG_CONFIG_NAME");
        foreach (var name in variables.Keys.Cast<string>().Where(k => k.StartsWith(VariablePrefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            var text = (string?)variables[name] ?? "";
            var key = name[VariablePrefix.Length..];
            if (key.StartsWith("CONFIG_", StringComparison.Ordinal))
                source.Configs.Add((key["CONFIG_".Length..].TrimStart('_').ToLowerInvariant().Replace('_', '.'), text, $"the variable {name}"));
            else if (Settings.All.FirstOrDefault(s => s.Variable == name) is { } setting)
                source.Settings.Add((setting, text, $"the variable {name}"));
            else if (!OthersVariables.Any(o => name.StartsWith(o, StringComparison.Ordinal)))
                throw Unknown($"the variable {name} is not known", name, known);
        }
        return source;
    }

    /// <summary>
    /// The section <c>OrleansLog</c> of a JSON file: <c>{"OrleansLog": {"KafkaPort": 9093, "Config": {"num.partitions": 3}}}</c>.
    /// No file, or no such section, sets nothing.
    /// </summary>
    public static SettingSource FromFile(string path)
    {
        var source = new SettingSource();
        if (!File.Exists(path))
            return source;
        using var document = Parse(path);
        if (!document.RootElement.TryGetProperty(Section, out var section))
            return source;
        foreach (var property in Members(section, $"{path}, {Section}"))
        {
            if (property.NameEquals("Config"))
                source.Configs.AddRange(Members(property.Value, $"{path}, {Section}:Config").Select(c => (c.Name, c.Value.ToString(), $"{path}, {Section}:Config:{c.Name}")));
            else if (Settings.All.FirstOrDefault(s => s.IsNamed(property.Name)) is { } setting)
                source.Settings.Add((setting, property.Value.ToString(), $"{path}, {Section}:{property.Name}"));
            else
                throw Unknown($"{path} sets {Section}:{property.Name}, which is not known", property.Name, Settings.All.Select(s => s.Name).Append("Config"));
        }
        return source;
    }

    public static StartException Unknown(string problem, string name, IEnumerable<string> known) =>
        new(ExitCode.Usage, NearestName.Find(name, known) is { } nearest ? $"{problem}; did you mean {nearest}?" : problem);

    private static JsonElement.ObjectEnumerator Members(JsonElement element, string shown) =>
        element.ValueKind is JsonValueKind.Object
            ? element.EnumerateObject()
            : throw new StartException(ExitCode.Usage, $"{shown} is not a JSON object");

    private static JsonDocument Parse(string path)
    {
        try
        {
            var document = JsonDocument.Parse(File.ReadAllBytes(path), Lenient);
            if (document.RootElement.ValueKind is JsonValueKind.Object)
                return document;
            document.Dispose();
            throw new StartException(ExitCode.Usage, $"{path} does not hold a JSON object");
        }
        catch (Exception problem) when (problem is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new StartException(ExitCode.Usage, $"{path} cannot be read: {problem.Message}", problem);
        }
    }
}
