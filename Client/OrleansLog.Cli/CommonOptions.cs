using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using OrleansLog.Client;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Cli;

/// <summary>Options that several commands share, and the ways in which options are read.</summary>
internal static class CommonOptions
{
    /// <summary>Where the cluster is, for every command.</summary>
    public static readonly Option<string> Bootstrap = new("--bootstrap")
    {
        Description = "Brokers to ask first, HOST:PORT separated by commas; also from the environment variable OLOG_BOOTSTRAP.",
        HelpName = "HOST:PORT",
        Recursive = true,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("OLOG_BOOTSTRAP") is { Length: > 0 } set ? set : "127.0.0.1:9092",
    };

    /// <summary>An option with a whole number.</summary>
    public static Option<int?> Int(string name, string description, int min, int max = int.MaxValue) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result => (int?)ParseNumber(result, name, min, max),
    };

    /// <inheritdoc cref="Int"/>
    public static Option<long?> Long(string name, string description, long min, long max = long.MaxValue) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result => ParseNumber(result, name, min, max),
    };

    /// <summary>Any number of whole numbers, by repeating the option or separated by commas.</summary>
    public static Option<int[]> Ints(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result => ParseInts(result, name),
    };

    /// <summary>Any number of <c>key=value</c>, by repeating the option.</summary>
    public static Option<KeyValuePair<string, string>[]> Pairs(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "KEY=VALUE",
        CustomParser = result => [.. result.Tokens.Select(t => ParsePair(result, name, t.Value))],
    };

    /// <summary>One of a few words.</summary>
    public static Option<T?> OneOf<T>(string name, string description, params (string Word, T Value)[] choices) where T : struct => new(name)
    {
        Description = description,
        HelpName = string.Join('|', choices.Select(c => c.Word)),
        CustomParser = result => ParseWord(result, name, choices),
    };

    public static Option<Acks?> AcksOption() => OneOf(
        "--acks", "What counts as delivered: stored by all in-sync replicas (all, the default), by the leader (1), or sent at all (0).",
        ("0", Acks.None), ("1", Acks.Leader), ("all", Acks.All));

    public static Option<CompressionType?> CompressionOption() => OneOf(
        "--compression", "How batches are compressed (default none).",
        ("none", CompressionType.None), ("gzip", CompressionType.Gzip), ("snappy", CompressionType.Snappy),
        ("lz4", CompressionType.Lz4), ("zstd", CompressionType.Zstd));

    private static long? ParseNumber(ArgumentResult result, string name, long min, long max)
    {
        var text = result.Tokens[0].Value;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var number)
            && number >= min && number <= max) return number;
        var range = max is int.MaxValue or long.MaxValue ? $"of at least {min}" : $"from {min} to {max}";
        result.AddError($"{name} takes a whole number {range}, not '{text}'.");
        return null;
    }

    private static int[] ParseInts(ArgumentResult result, string name)
    {
        var numbers = new List<int>();
        foreach (var text in result.Tokens.SelectMany(t => t.Value.Split(',')))
        {
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) numbers.Add(number);
            else result.AddError($"{name} takes whole numbers from 0, not '{text}'.");
        }
        return [.. numbers];
    }

    private static KeyValuePair<string, string> ParsePair(ArgumentResult result, string name, string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals > 0) return new(text[..equals], text[(equals + 1)..]);
        result.AddError($"{name} takes KEY=VALUE, not '{text}'.");
        return default;
    }

    private static T? ParseWord<T>(ArgumentResult result, string name, (string Word, T Value)[] choices) where T : struct
    {
        var text = result.Tokens[0].Value;
        foreach (var (word, value) in choices)
            if (word == text) return value;
        var words = choices.Select(c => c.Word).ToArray();
        result.AddError($"{name} takes one of {string.Join(", ", words)}, not '{text}'{NearestName.Suggest(text, words)}");
        return null;
    }
}
