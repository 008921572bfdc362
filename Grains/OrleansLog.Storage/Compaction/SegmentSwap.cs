using System.Globalization;
using OrleansLog.Protocol;

namespace OrleansLog.Storage.Compaction;

/// <summary>
/// How one segment takes the place of several, whatever is interrupted by a crash: it is written under names of its own
/// (<c>.cleaned</c>), and flushed; it is given a name that says which offsets it stands for (<c>.END.swap</c>), durably, from
/// where on there is no way back; the old files go, durably; it gets its own name. Who finds a <c>.swap</c> does the rest again.
/// Its indexes are made anew then.
/// </summary>
internal static class SegmentSwap
{
    /// <summary>Behind the name of a file that is being written.</summary>
    public const string CleanedSuffix = ".cleaned";

    private const string SwapSuffix = ".swap";
    private const int Digits = 20;

    /// <summary>What comes behind the base offset in the name of a segment that stands for all up to an offset.</summary>
    public static string SuffixFor(Offset end) => string.Create(CultureInfo.InvariantCulture, $".{end.Value:D20}{SwapSuffix}");

    /// <summary>Whether a crash has left something that <see cref="CompleteAsync"/> has to deal with.</summary>
    public static bool IsLeft(IEnumerable<LogFileEntry> entries) =>
        entries.Any(static entry => entry.Name.EndsWith(SwapSuffix, StringComparison.Ordinal) || entry.Name.EndsWith(CleanedSuffix, StringComparison.Ordinal));

    /// <summary>Takes up what a crash has interrupted.</summary>
    public static async ValueTask CompleteAsync(ILogFileSystem files, string directory)
    {
        var names = files.List(directory).Select(static entry => entry.Name).ToList();
        foreach (var name in names.Where(static name => name.EndsWith(CleanedSuffix, StringComparison.Ordinal))) files.Delete($"{directory}/{name}");
        var swaps = names.Select(static name => Parse(name)).OfType<(Offset From, Offset To)>().ToList();
        foreach (var (from, to) in swaps) DeleteAll(files, directory, names, from, to);
        await files.FlushDirectoryAsync(directory);
        foreach (var (from, to) in swaps)
            files.Rename(SegmentFileNames.PathOf(directory, from, SuffixFor(to)), SegmentFileNames.PathOf(directory, from, SegmentFileNames.LogSuffix));
        if (swaps.Count > 0) await files.FlushDirectoryAsync(directory);
    }

    private static void DeleteAll(ILogFileSystem files, string directory, List<string> names, Offset from, Offset to)
    {
        foreach (var suffix in (string[])[SegmentFileNames.LogSuffix, SegmentFileNames.OffsetIndexSuffix, SegmentFileNames.TimeIndexSuffix])
            foreach (var name in names)
                if (SegmentFileNames.TryParse(name, suffix, out var offset) && offset >= from && offset < to) files.Delete($"{directory}/{name}");
    }

    private static (Offset From, Offset To)? Parse(string name)
    {
        if (name.Length != 2 * Digits + 1 + SwapSuffix.Length || name[Digits] != '.' || !name.EndsWith(SwapSuffix, StringComparison.Ordinal)) return null;
        var isRead = long.TryParse(name.AsSpan(0, Digits), NumberStyles.None, CultureInfo.InvariantCulture, out var from);
        return isRead & long.TryParse(name.AsSpan(Digits + 1, Digits), NumberStyles.None, CultureInfo.InvariantCulture, out var to) ? (new(from), new(to)) : null;
    }
}
