using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>Partitions as a command line names them: <c>TOPIC</c> for all of a topic, or <c>TOPIC:PARTITION</c>.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">One of its partitions; null for all.</param>
internal readonly record struct PartitionArgument(string Topic, int? Partition)
{
    private const string HelpName = "TOPIC[:PARTITION]";

    public static Argument<PartitionArgument> One(string description) => new(HelpName)
    {
        Description = description,
        CustomParser = result => Parse(result, result.Tokens[0].Value),
    };

    public static Argument<PartitionArgument[]> Several(string description) => new(HelpName)
    {
        Description = description,
        Arity = ArgumentArity.OneOrMore,
        CustomParser = result => [.. result.Tokens.Select(token => Parse(result, token.Value))],
    };

    /// <summary>The partitions that are meant.</summary>
    /// <exception cref="CommandException">There is no such topic or partition.</exception>
    public async Task<TopicPartition[]> FindAsync(AdminClient admin, CancellationToken cancellationToken)
    {
        var topic = await TopicLookup.DescribeAsync(admin, Topic, cancellationToken);
        return TopicLookup.Choose(topic, Partition is { } one ? [one] : []);
    }

    private static PartitionArgument Parse(ArgumentResult result, string text)
    {
        // A topic's name has no colon.
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return new(text, null);
        if (colon > 0 && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var partition))
            return new(text[..colon], partition);
        result.AddError($"'{text}' is not {HelpName}: write for instance orders or orders:3.");
        return default;
    }
}
