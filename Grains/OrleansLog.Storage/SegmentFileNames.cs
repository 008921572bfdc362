using System.Globalization;
using OrleansLog.Protocol;

namespace OrleansLog.Storage;

/// <summary>The names in a partition's directory, which are Kafka's.</summary>
internal static class SegmentFileNames
{
    public const string LogSuffix = ".log";
    public const string OffsetIndexSuffix = ".index";
    public const string TimeIndexSuffix = ".timeindex";
    public const string SnapshotSuffix = ".snapshot";

    /// <summary>
    /// Of an empty file, whose name says where the log starts: more than the recovery checkpoint knows, which there was no
    /// room to write.
    /// </summary>
    public const string StartNoteSuffix = ".start";

    private const int Digits = 20;

    public static string NameOf(Offset baseOffset, string suffix) =>
        string.Create(CultureInfo.InvariantCulture, $"{baseOffset.Value:D20}{suffix}");

    public static string PathOf(string directory, Offset baseOffset, string suffix) =>
        $"{directory}/{NameOf(baseOffset, suffix)}";

    public static bool TryParse(string name, string suffix, out Offset baseOffset)
    {
        baseOffset = Offset.None;
        if (name.Length != Digits + suffix.Length || !name.EndsWith(suffix, StringComparison.Ordinal)) return false;
        var parsed = long.TryParse(name.AsSpan(0, Digits), NumberStyles.None, CultureInfo.InvariantCulture, out var value);
        baseOffset = new Offset(value);
        return parsed;
    }
}
