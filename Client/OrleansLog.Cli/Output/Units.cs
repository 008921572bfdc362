using System.Globalization;

namespace OrleansLog.Cli.Output;

/// <summary>Numbers as people read them.</summary>
internal static class Units
{
    private const double Kilo = 1000;

    /// <summary>For instance <c>1,234,567</c>.</summary>
    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Decimal units, for instance <c>12.3 MB</c>.</summary>
    public static string Bytes(double bytes) => bytes switch
    {
        < Kilo => Invariant($"{bytes:F0} B"),
        < Kilo * Kilo => Invariant($"{bytes / Kilo:F1} kB"),
        < Kilo * Kilo * Kilo => Invariant($"{bytes / Kilo / Kilo:F1} MB"),
        _ => Invariant($"{bytes / Kilo / Kilo / Kilo:F2} GB"),
    };

    /// <summary>How much in what time and how fast that is, for instance <c>5,000 records (0.5 MB) in 1.25 s: 4,000 records/s, 0.4 MB/s</c>.</summary>
    public static string Throughput(long records, long bytes, TimeSpan elapsed)
    {
        var seconds = Math.Max(elapsed.TotalSeconds, 1e-6);
        return $"{Counted(records, "record")} ({Bytes(bytes)}) in {Invariant($"{seconds:F2}")} s: "
            + $"{Count((long)(records / seconds))} records/s, {Bytes(bytes / seconds)}/s";
    }

    /// <summary>For instance <c>1 record</c>, <c>2 records</c>.</summary>
    public static string Counted(long number, string noun) => $"{Count(number)} {noun}{(number == 1 ? "" : "s")}";

    public static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
