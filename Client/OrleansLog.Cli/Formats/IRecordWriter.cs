using OrleansLog.Cli.Output;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Cli.Formats;

/// <summary>Writes a record as a line, its end included.</summary>
internal interface IRecordWriter
{
    void Write(scoped in RecordView record, TopicPartition partition, RecordOutput output);
}
