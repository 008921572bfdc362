namespace OrleansLog.Silo.Metrics;

/// <summary>
/// Instrument and tag names in the form that Prometheus takes
/// (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/).
/// </summary>
internal static class MetricName
{
    /// <summary><c>kafka.request.duration</c> in <c>s</c> becomes <c>kafka_request_duration_seconds</c>; counters end in <c>_total</c>.</summary>
    public static string Of(string instrument, string? unit, MetricKind kind)
    {
        var name = WithSuffix(Clean(instrument, ':'), Unit(unit));
        return kind is MetricKind.Counter ? WithSuffix(name, "total") : name;
    }

    public static string OfLabel(string tag) => Clean(tag, '_');

    private static string WithSuffix(string name, string suffix) =>
        suffix.Length == 0 || name.EndsWith("_" + suffix, StringComparison.Ordinal) ? name : $"{name}_{suffix}";

    private static string Unit(string? unit) => unit switch
    {
        null or "" or "1" or "%" => "",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "By" => "bytes",
        ['{', ..] => "",
        _ => Clean(unit, '_'),
    };

    private static string Clean(string name, char alsoAllowed)
    {
        var clean = string.Create(name.Length, (name, alsoAllowed), static (chars, from) =>
        {
            for (var i = 0; i < chars.Length; i++)
                chars[i] = char.IsAsciiLetterOrDigit(from.name[i]) || from.name[i] == from.alsoAllowed ? from.name[i] : '_';
        });
        return clean.Length > 0 && char.IsAsciiDigit(clean[0]) ? "_" + clean : clean;
    }
}
