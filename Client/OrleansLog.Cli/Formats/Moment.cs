using System.Globalization;

namespace OrleansLog.Cli.Formats;

/// <summary>Times on command lines and in JSON: ISO 8601, in local time unless they say Z or an offset.</summary>
internal static class Moment
{
    private const string RoundTrip = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public static bool TryParse(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out time) && text.Contains('-', StringComparison.Ordinal);

    /// <summary>For instance <c>2025-06-01T12:00:00.000Z</c>.</summary>
    public static string Format(long timestampMs) =>
        DateTimeOffset.FromUnixTimeMilliseconds(timestampMs).UtcDateTime.ToString(RoundTrip, CultureInfo.InvariantCulture);
}
