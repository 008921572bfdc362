using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>
/// Matches topic names against the expressions of members. The engine never goes back in its input, so that the time is
/// linear in a name's length whatever the expression is; what such an engine cannot do (looking around, back
/// references) is refused, as are expressions that grow too large. A name must match as a whole.
/// </summary>
internal sealed class TopicPatterns(int lengthMax)
{
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;
    private const int CachedMax = 1_000;
    private readonly Dictionary<string, Regex> _cache = [];

    /// <summary>Why the expression cannot be used, or null when it can.</summary>
    public string? Refuse(string pattern)
    {
        if (pattern.Length > lengthMax)
            return $"The expression has {pattern.Length} characters; {lengthMax} is the most.";
        try
        {
            Find(pattern);
            return null;
        }
        catch (Exception refused) when (refused is ArgumentException or NotSupportedException)
        {
            return refused.Message;
        }
    }

    /// <summary>The topics that an expression matches. One that is refused, as an earlier release may have let it in, matches none.</summary>
    public ImmutableSortedSet<string> Match(string pattern, ITopicDirectory topics)
    {
        if (Refuse(pattern) is not null)
            return ConsumerGroupState.NoNames;
        var regex = Find(pattern);
        return ConsumerGroupState.NoNames.Union(topics.Names.Where(name => regex.IsMatch(name)));
    }

    private Regex Find(string pattern)
    {
        if (_cache.TryGetValue(pattern, out var known))
            return known;
        if (_cache.Count >= CachedMax)
            _cache.Clear();
        // By itself first: what is no expression could become one within the brackets.
        _ = new Regex(pattern, Options);
        return _cache[pattern] = new Regex($@"\A(?:{pattern})\z", Options);
    }
}
