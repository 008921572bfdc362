using System.Globalization;
using OrleansLog.Protocol;

namespace OrleansLog.Storage.Compaction;

/// <summary>How far a log was compacted.</summary>
/// <param name="FirstDirty">Everything before was compacted: what is there is the last of its key up to here.</param>
/// <param name="RemovedBefore">
/// Before here tombstones and the ends of transactions may have been removed. A replica whose log ends earlier must not go on
/// with what is left here: it has what those deleted.
/// </param>
/// <param name="LatestHorizonMs">
/// From when on all tombstones that are still there may be removed, in milliseconds since 1970 UTC; -1 when there are none.
/// </param>
internal sealed record CleanerCheckpoint(Offset FirstDirty, Offset RemovedBefore, long LatestHorizonMs)
{
    public const string FileName = "cleaner-checkpoint";
    public const long NoHorizon = -1;

    /// <summary>Nothing was compacted yet.</summary>
    public static readonly CleanerCheckpoint None = new(Offset.Zero, Offset.Zero, NoHorizon);

    private static readonly string[] Keys = ["first-dirty-offset", "removed-before-offset", "latest-delete-horizon-ms"];

    /// <summary>What of it holds when the log is cut to end at an offset.</summary>
    public CleanerCheckpoint WithoutFrom(Offset end) => end >= FirstDirty ? this : this with { FirstDirty = end };

    public IEnumerable<string> ToLines()
    {
        long[] values = [FirstDirty.Value, RemovedBefore.Value, LatestHorizonMs];
        return Keys.Zip(values, static (key, value) => string.Create(CultureInfo.InvariantCulture, $"{key} {value}"));
    }

    /// <summary>Null when the lines are not a checkpoint's.</summary>
    public static CleanerCheckpoint? Parse(string[]? lines)
    {
        if (lines is null || lines.Length != Keys.Length) return null;
        var values = new long[Keys.Length];
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Split(' ');
            if (line.Length != 2 || line[0] != Keys[i] || !long.TryParse(line[1], CultureInfo.InvariantCulture, out values[i])) return null;
        }

        return new(new(values[0]), new(values[1]), values[2]);
    }
}
