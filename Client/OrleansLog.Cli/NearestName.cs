namespace OrleansLog.Cli;

/// <summary>Finds what somebody most likely meant by a name that does not exist.</summary>
internal static class NearestName
{
    /// <summary>The candidate fewest edits away, or null if none is near: two edits, or a third of its length, and never all of it.</summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        var (nearest, edits) = candidates.Select(c => (c, Edits(name, c))).DefaultIfEmpty(("", int.MaxValue)).MinBy(c => c.Item2);
        return edits <= Math.Max(2, nearest.Length / 3) && edits < Math.Max(name.Length, nearest.Length) ? nearest : null;
    }

    /// <summary>The end of a sentence: "; did you mean 'x'?", or nothing.</summary>
    public static string Suggest(string name, IEnumerable<string> candidates) =>
        Find(name, candidates) is { } nearest ? $"; did you mean '{nearest}'?" : ".";

    /// <summary>How many letters must be inserted, deleted or replaced (Levenshtein).</summary>
    private static int Edits(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0]++;
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = diagonal + (char.ToLowerInvariant(from[i - 1]) == char.ToLowerInvariant(to[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
