using System.Text;
using OrleansLog.Client;

namespace OrleansLog.Cli.Formats;

/// <summary>The line is a key, a separator and a value; the first separator counts.</summary>
/// <param name="template">What the lines leave out.</param>
/// <param name="separator">What stands between key and value.</param>
/// <param name="keyIsOptional">Whether a line without a separator is a value without a key; else it is an error.</param>
internal sealed class KeyValueParser(RecordTemplate template, byte[] separator, bool keyIsOptional) : IRecordParser
{
    public OutgoingRecord Parse(ReadOnlySpan<byte> line)
    {
        var at = line.IndexOf(separator);
        if (at < 0) return keyIsOptional ? template.Fill(default, hasKey: false, line) : throw NoSeparator();
        var key = line[..at];
        return template.Fill(key, !template.IsNull(key), line[(at + separator.Length)..]);
    }

    private FormatException NoSeparator() => new(
        $"has no '{Encoding.UTF8.GetString(separator)}' between a key and a value; name another --separator, or let --key-optional take such lines for values.");
}
