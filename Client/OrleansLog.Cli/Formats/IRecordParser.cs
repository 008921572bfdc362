using OrleansLog.Client;

namespace OrleansLog.Cli.Formats;

/// <summary>Makes a record of a line.</summary>
internal interface IRecordParser
{
    /// <summary>The record's spans point into the line, or into the parser's own buffer until the next call.</summary>
    /// <exception cref="FormatException">The line is not in this format; the message ends the sentence "line 7 …".</exception>
    OutgoingRecord Parse(ReadOnlySpan<byte> line);
}
