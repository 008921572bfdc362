using System.CommandLine;
using System.Text;

namespace OrleansLog.Cli.Formats;

/// <summary>How a record stands on a line.</summary>
internal enum RecordFormat
{
    /// <summary>The line is the value.</summary>
    Value,

    /// <summary>The key, a separator, the value.</summary>
    KeyValue,

    /// <summary>A JSON object with key, value, headers and more.</summary>
    Json,
}

/// <summary>The options with which <c>produce</c> and <c>consume</c> say how records stand on lines.</summary>
internal static class FormatOptions
{
    public static readonly Option<RecordFormat?> Format = CommonOptions.OneOf(
        "--format",
        "How a record stands on its line: the value alone (value, the default), key, separator and value (key-value), "
        + """or an object such as {"key":"k","value":"v","headers":[{"key":"h","value":"x"}]} (json).""",
        ("value", RecordFormat.Value), ("key-value", RecordFormat.KeyValue), ("json", RecordFormat.Json));

    public static readonly Option<string> Separator = new("--separator")
    {
        Description = "What stands between key and value in the format key-value, ':' by default; \\t is a tab.",
        HelpName = "TEXT",
        DefaultValueFactory = _ => ":",
    };

    public static readonly Option<string?> Null = new("--null")
    {
        Description = "The text that stands for a null key or value, in the formats value and key-value.",
        HelpName = "TEXT",
    };

    /// <exception cref="CommandException">It is empty.</exception>
    public static byte[] SeparatorOf(Session session)
    {
        var text = session.Get(Separator).Replace("\\t", "\t", StringComparison.Ordinal);
        if (text.Length == 0) throw new CommandException("--separator must not be empty.", ExitCode.Usage);
        return Encoding.UTF8.GetBytes(text);
    }

    public static byte[]? NullOf(Session session) => session.Get(Null) is { } text ? Encoding.UTF8.GetBytes(text) : null;
}
