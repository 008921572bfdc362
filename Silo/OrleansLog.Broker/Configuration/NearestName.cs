namespace OrleansLog.Broker.Configuration;

/// <summary>Finds what somebody most likely meant by a name that does not exist.</summary>
public static class NearestName
{
    /// <summary>
    /// The candidate that takes the fewest edits to become <paramref name="name"/>, ignoring case; null if none is
    /// close: more than a third of the candidate's letters would have to change. The first of several equally close ones wins.
    /// </summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        var best = candidates.Select(c => (Name: c, Edits: Edits(name, c))).MinBy(c => c.Edits);
        return best.Name is not null && best.Edits <= Math.Max(2, best.Name.Length / 3) ? best.Name : null;
    }

    /// <summary>
    /// The insertions, deletions, substitutions and swaps of neighbours between two names, ignoring case
    /// (optimal string alignment).
    /// </summary>
    internal static int Edits(string a, string b)
    {
        Span<int> rows = stackalloc int[3 * 257];
        a = a.Length > 256 ? a[..256] : a;
        b = b.Length > 256 ? b[..256] : b;
        var width = b.Length + 1;
        var older = rows[..width];
        var old = rows.Slice(257, width);
        var row = rows.Slice(514, width);
        for (var j = 0; j < width; j++)
            old[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                row[j] = Math.Min(Math.Min(old[j], row[j - 1]) + 1, old[j - 1] + (Same(a[i - 1], b[j - 1]) ? 0 : 1));
                if (i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]))
                    row[j] = Math.Min(row[j], older[j - 2] + 1);
            }
            var spare = older;
            older = old;
            old = row;
            row = spare;
        }
        return old[b.Length];
    }

    private static bool Same(char x, char y) => char.ToLowerInvariant(x) == char.ToLowerInvariant(y);
}
