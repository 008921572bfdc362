using System.Globalization;

namespace OrleansLog.Broker.Configuration;

/// <summary>Short forms in which the tables of configs are written.</summary>
internal static class Define
{
    public static ConfigDefinition<bool> Boolean(string name, bool value, string documentation) =>
        new(name, ConfigType.Boolean, value ? "true" : "false", documentation, bool.TryParse, null) { Allowed = "true or false" };

    public static ConfigDefinition<int> Int(string name, int? value, int min, string documentation, int max = int.MaxValue) =>
        new(name, ConfigType.Int, Text(value), documentation, TryInt, v => v >= min && v <= max) { Allowed = Range(min, max, int.MaxValue) };

    public static ConfigDefinition<long> Long(string name, long? value, long min, string documentation, long max = long.MaxValue) =>
        new(name, ConfigType.Long, Text(value), documentation, TryLong, v => v >= min && v <= max) { Allowed = Range(min, max, long.MaxValue) };

    public static ConfigDefinition<double> Double(string name, double value, double min, double max, string documentation) =>
        new(name, ConfigType.Double, Text<double>(value), documentation, TryDouble, v => v >= min && v <= max)
        {
            Allowed = string.Create(CultureInfo.InvariantCulture, $"from {min} to {max}"),
        };

    public static ConfigDefinition<string> Text(string name, string? value, string documentation) =>
        new(name, ConfigType.String, value, documentation, TryText, null);

    public static ConfigDefinition<string> OneOf(string name, string value, string[] allowed, string documentation) =>
        new(name, ConfigType.String, value, documentation, TryText, v => allowed.Contains(v, StringComparer.Ordinal))
        {
            Allowed = $"one of: {string.Join(", ", allowed)}",
        };

    public static ConfigDefinition<IReadOnlyList<string>> List(string name, string value, string[] allowed, string documentation) =>
        new(name, ConfigType.List, value, documentation, TryList, v => v.Count > 0 && v.All(allowed.Contains))
        {
            Allowed = $"one or more of: {string.Join(", ", allowed)}",
        };

    /// <summary>The entries of a list config: separated by commas, trimmed, empty ones and repetitions left out.</summary>
    public static string[] Split(string? text) =>
        [.. (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct()];

    private static bool TryInt(string text, out int value) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    private static bool TryLong(string text, out long value) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    private static bool TryDouble(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);

    private static bool TryText(string text, out string value)
    {
        value = text;
        return true;
    }

    private static bool TryList(string text, out IReadOnlyList<string> value)
    {
        value = Split(text);
        return true;
    }

    private static string? Text<T>(T? value) where T : struct, IFormattable => value?.ToString(null, CultureInfo.InvariantCulture);

    private static string Range<T>(T min, T max, T noLimit) where T : IEquatable<T>, IFormattable =>
        max.Equals(noLimit)
            ? string.Create(CultureInfo.InvariantCulture, $"at least {min}")
            : string.Create(CultureInfo.InvariantCulture, $"from {min} to {max}");
}
