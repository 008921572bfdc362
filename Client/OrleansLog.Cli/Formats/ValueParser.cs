using OrleansLog.Client;

namespace OrleansLog.Cli.Formats;

/// <summary>The whole line is the value.</summary>
internal sealed class ValueParser(RecordTemplate template) : IRecordParser
{
    public OutgoingRecord Parse(ReadOnlySpan<byte> line) => template.Fill(default, hasKey: false, line);
}
