using System.Text;
using OrleansLog.Client;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Cli.Formats;

/// <summary>What all records of one command have in common, unless a line says otherwise.</summary>
internal sealed class RecordTemplate
{
    /// <summary>The key of records that have none of their own; null for none.</summary>
    public byte[]? Key { get; init; }

    /// <summary>The partition of all records; null leaves it to the line and then to the partitioner.</summary>
    public int? Partition { get; init; }

    public RecordHeader[] Headers { get; init; } = [];

    /// <summary>The text that stands for null, if any.</summary>
    public byte[]? Null { get; init; }

    public static RecordHeader[] HeadersOf(IEnumerable<KeyValuePair<string, string>> pairs) =>
        [.. pairs.Select(p => new RecordHeader(p.Key, Encoding.UTF8.GetBytes(p.Value)))];

    public bool IsNull(ReadOnlySpan<byte> text) => Null is not null && text.SequenceEqual(Null);

    /// <summary>A record of these spans, or of this template's key if it has none of its own.</summary>
    public OutgoingRecord Fill(ReadOnlySpan<byte> key, bool hasKey, ReadOnlySpan<byte> value) => new()
    {
        Key = hasKey ? key : Key,
        HasKey = hasKey || Key is not null,
        Value = value,
        IsTombstone = IsNull(value),
        Partition = Partition,
        Headers = Headers,
    };
}
