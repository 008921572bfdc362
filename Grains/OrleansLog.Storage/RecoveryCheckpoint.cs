using System.Globalization;
using OrleansLog.Protocol;

namespace OrleansLog.Storage;

/// <summary>
/// What a log knew for certain when it last wrote this down: where it starts, and up to where its segments and their
/// indexes were durable. Recovery reads nothing before that point, and never takes damage before it for the end of the
/// log.
/// </summary>
/// <param name="LogStartOffset">The first offset that can be read.</param>
/// <param name="Offset">Everything below is durable.</param>
/// <param name="SegmentBaseOffset">The segment that was active then; <paramref name="Offset"/> itself if there was none.</param>
/// <param name="Position">Where <paramref name="Offset"/> is in that segment's file.</param>
/// <param name="OffsetEntries">How many entries its offset index had; -1 when the indexes have to be built anew.</param>
/// <param name="TimeEntries">How many entries its time index had.</param>
internal sealed record RecoveryCheckpoint(
    Offset LogStartOffset, Offset Offset, Offset SegmentBaseOffset, int Position, int OffsetEntries, int TimeEntries)
{
    public const string FileName = "recovery-checkpoint";

    private static readonly string[] Keys =
        ["log-start-offset", "recovery-offset", "segment", "position", "index-entries", "timeindex-entries", "producer-snapshot"];

    // Logs from before there were idempotent producers do not have the last one.
    private static readonly int KeysMin = Keys.Length - 1;

    /// <summary>The snapshot that tells the producers as they were at <see cref="Offset"/>; none when there were none.</summary>
    public Offset ProducerSnapshot { get; init; } = Offset.None;

    /// <summary>Nothing is known.</summary>
    public static readonly RecoveryCheckpoint None = At(Offset.Zero, Offset.Zero);

    /// <summary>Durable up to an offset at which no segment has begun.</summary>
    public static RecoveryCheckpoint At(Offset logStartOffset, Offset offset) => new(logStartOffset, offset, offset, 0, 0, 0);

    /// <summary>Durable up to a position in a segment, whose index entries are not counted.</summary>
    public static RecoveryCheckpoint Before(Offset logStartOffset, Offset offset, Segment? segment, int position) =>
        segment is null
            ? At(logStartOffset, offset)
            : new RecoveryCheckpoint(logStartOffset, offset, segment.BaseOffset, position, -1, -1);

    public IEnumerable<string> ToLines()
    {
        long[] values =
            [LogStartOffset.Value, Offset.Value, SegmentBaseOffset.Value, Position, OffsetEntries, TimeEntries, ProducerSnapshot.Value];
        return Keys.Zip(values, static (key, value) => string.Create(CultureInfo.InvariantCulture, $"{key} {value}"));
    }

    /// <summary>Null when the lines are not a checkpoint's.</summary>
    public static RecoveryCheckpoint? Parse(string[]? lines)
    {
        if (lines is null || lines.Length < KeysMin || lines.Length > Keys.Length) return null;
        var values = new long[Keys.Length];
        values[^1] = Offset.None.Value;
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Split(' ');
            if (line.Length != 2 || line[0] != Keys[i] || !long.TryParse(line[1], CultureInfo.InvariantCulture, out values[i]))
                return null;
        }

        return new(new(values[0]), new(values[1]), new(values[2]), (int)values[3], (int)values[4], (int)values[5])
        {
            ProducerSnapshot = new(values[6]),
        };
    }
}
