using System.Text.RegularExpressions;
using OrleansLog.Client.Metadata;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Consuming;

/// <summary>Matches whole topic names against an expression, in time linear in the name.</summary>
internal static class TopicPattern
{
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    /// <exception cref="ArgumentException">That is no expression, or one that would need to go back in its input.</exception>
    public static void Check(string pattern)
    {
        try
        {
            _ = new Regex(pattern, Options);
        }
        catch (NotSupportedException e)
        {
            throw new ArgumentException($"The expression cannot be matched in bounded time: {e.Message}", nameof(pattern), e);
        }
    }

    /// <summary>The topics of the cluster that match, in ordinal order; internal ones never do.</summary>
    public static async Task<IReadOnlyList<string>> MatchAsync(Cluster cluster, string pattern, CancellationToken cancellationToken)
    {
        var regex = new Regex($@"\A(?:{pattern})\z", Options);
        var response = await cluster.Transport.SendAsync(
            BrokerId.None, Lane.Control, new MetadataRequest { Topics = null, AllowAutoTopicCreation = false }, cancellationToken, versionMin: 1);
        return [.. response.Topics.Where(topic => topic is { ErrorCode: ErrorCode.None, IsInternal: false, Name: { } name } && regex.IsMatch(name))
            .Select(topic => topic.Name!).Order(StringComparer.Ordinal)];
    }
}
