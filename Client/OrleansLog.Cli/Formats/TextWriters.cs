using System.Buffers.Text;
using System.Text;
using OrleansLog.Cli.Output;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Cli.Formats;

/// <summary>What stands before a record on its line, each part followed by a tab.</summary>
internal sealed record LinePrefix(bool Offset, bool Timestamp)
{
    private const int NumberBytesMax = 20;
    private const byte Tab = (byte)'\t';

    public bool IsEmpty => !Offset && !Timestamp;

    public void Write(scoped in RecordView record, TopicPartition partition, RecordOutput output)
    {
        if (Offset)
        {
            WriteNumber(partition.Partition, output);
            WriteNumber(record.Offset.Value, output);
        }
        if (!Timestamp) return;
        output.Write(Encoding.ASCII.GetBytes(Moment.Format(record.Timestamp)));
        output.Write(Tab);
    }

    private static void WriteNumber(long number, RecordOutput output)
    {
        Utf8Formatter.TryFormat(number, output.GetSpan(NumberBytesMax), out var bytes);
        output.Advance(bytes);
        output.Write(Tab);
    }
}

/// <summary>The value and a line feed, byte for byte.</summary>
internal sealed class ValueWriter(LinePrefix prefix, byte[]? nullText) : IRecordWriter
{
    private readonly bool _isBare = prefix.IsEmpty;

    public void Write(scoped in RecordView record, TopicPartition partition, RecordOutput output)
    {
        if (!_isBare) prefix.Write(record, partition, output);
        output.Write(record.ValueIsNull ? nullText : record.Value);
        output.Write((byte)'\n');
    }
}

/// <summary>The key, the separator, the value and a line feed.</summary>
internal sealed class KeyValueWriter(LinePrefix prefix, byte[] separator, byte[]? nullText) : IRecordWriter
{
    public void Write(scoped in RecordView record, TopicPartition partition, RecordOutput output)
    {
        prefix.Write(record, partition, output);
        output.Write(record.KeyIsNull ? nullText : record.Key);
        output.Write(separator);
        output.Write(record.ValueIsNull ? nullText : record.Value);
        output.Write((byte)'\n');
    }
}
