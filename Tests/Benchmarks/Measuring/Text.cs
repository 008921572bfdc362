using System.Globalization;

namespace OrleansLog.Benchmarks.Measuring;

/// <summary>How figures are written: three significant digits, with the field's suffixes.</summary>
internal static class Text
{
    public static string Rate(double perSecond) => perSecond switch
    {
        >= 999_500 => (perSecond / 1e6).ToString("0.00", CultureInfo.InvariantCulture) + " M",
        >= 1_000 => (perSecond / 1e3).ToString("0.0", CultureInfo.InvariantCulture) + " k",
        _ => perSecond.ToString("0", CultureInfo.InvariantCulture),
    };

    public static string Fixed(double value, int digits) =>
        double.IsFinite(value) ? value.ToString("F" + digits, CultureInfo.InvariantCulture) : "–";

    public static string Megabytes(double bytes) => Fixed(bytes / 1e6, 0) + " MB";
}
