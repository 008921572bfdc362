using OrleansLog.Protocol.Records;

namespace OrleansLog.Client.Producing;

/// <summary>A record that has to wait, with bytes of its own.</summary>
internal sealed class RecordCopy(in OutgoingRecord record)
{
    private readonly byte[] _key = record.Key.ToArray();
    private readonly byte[] _value = record.Value.ToArray();
    private readonly RecordHeader[] _headers = record.Headers.ToArray();
    private readonly bool _hasKey = record.HasKey;
    private readonly bool _isTombstone = record.IsTombstone;
    private readonly int? _partition = record.Partition;
    private readonly long? _timestampMs = record.TimestampMs;

    public OutgoingRecord View => new()
    {
        Key = _key,
        HasKey = _hasKey,
        Value = _value,
        IsTombstone = _isTombstone,
        Partition = _partition,
        TimestampMs = _timestampMs,
        Headers = _headers,
    };
}
