namespace OrleansLog.Silo.Options;

/// <summary>
/// One thing that can be set from the command line (<c>--kafka-port</c>), the environment (<c>OLOG_KAFKA_PORT</c>) and the
/// settings file (<c>KafkaPort</c>). <paramref name="Name"/> is the option without its dashes.
/// </summary>
internal sealed record Setting(string Name, string Value, string Documentation, SettingReader Read)
{
    public string Option => "--" + Name;

    public string Variable => SettingSources.VariablePrefix + Name.ToUpperInvariant().Replace('-', '_');

    /// <summary>Whether what is given may hold a secret, and is not to be shown.</summary>
    public bool IsSecret { get; init; }

    /// <summary>Whether <paramref name="key"/> means this setting: dashes, underscores and case do not matter.</summary>
    public bool IsNamed(string key) => Plain(key).Equals(Plain(Name), StringComparison.OrdinalIgnoreCase);

    private static string Plain(string key) => key.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);
}

/// <summary>Puts a text into the options; the error, if any, completes "kafka-port must be ...".</summary>
internal delegate SiloOptions SettingReader(SiloOptions options, string text, out string? mustBe);
