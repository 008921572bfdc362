using System.Globalization;
using System.Text;
using OrleansLog.Protocol;

namespace OrleansLog.Storage.Producers;

/// <summary>
/// The producers of a partition as a file holds them, named by the offset that they are known up to: one line a producer,
/// with its id, epoch, and for each remembered batch the first and last sequence number, the offset, the next offset and the
/// timestamp. Who was silent for longest comes first.
/// </summary>
internal static class ProducerSnapshot
{
    private const int FieldsOfProducer = 2;
    private const int FieldsOfBatch = 5;

    public static ValueTask WriteAsync(ILogFileSystem files, string directory, Offset offset, ProducerState[] producers) =>
        CheckpointFile.WriteAsync(files, directory, NameOf(offset), producers.Select(static producer => ToLine(producer)));

    /// <summary>The producers of a snapshot, taken for active now; null when there is none or its bytes are not what was written.</summary>
    public static ProducerStates? Read(ILogFileSystem files, string directory, Offset offset, long nowMs)
    {
        var lines = CheckpointFile.Read(files, directory, NameOf(offset));
        if (lines is null) return null;
        var states = new ProducerStates();
        foreach (var line in lines)
        {
            if (!TryParse(line, out var producer)) return null;
            states.Restore(producer with { LastActiveMs = nowMs });
        }

        return states;
    }

    public static void Delete(ILogFileSystem files, string directory, Offset offset) => files.Delete($"{directory}/{NameOf(offset)}");

    private static string NameOf(Offset offset) => SegmentFileNames.NameOf(offset, SegmentFileNames.SnapshotSuffix);

    private static string ToLine(in ProducerState producer)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{producer.ProducerId} {producer.Epoch}");
        for (var i = 0; i < producer.Count; i++)
        {
            var batch = producer[i];
            line.Append(
                CultureInfo.InvariantCulture,
                $" {batch.BaseSequence} {batch.LastSequence} {batch.BaseOffset} {batch.NextOffset} {batch.MaxTimestampMs}");
        }

        return line.ToString();
    }

    private static bool TryParse(string line, out ProducerState producer)
    {
        var texts = line.Split(' ');
        var fields = new long[texts.Length];
        producer = new ProducerState { ProducerId = -1 };
        if ((texts.Length - FieldsOfProducer) % FieldsOfBatch != 0 || texts.Length <= FieldsOfProducer) return false;
        for (var i = 0; i < texts.Length; i++)
            if (!long.TryParse(texts[i], CultureInfo.InvariantCulture, out fields[i])) return false;
        producer = new ProducerState { ProducerId = fields[0] };
        for (var i = FieldsOfProducer; i < fields.Length; i += FieldsOfBatch)
        {
            var batch = new ProducedBatch((int)fields[i], (int)fields[i + 1], new(fields[i + 2]), new(fields[i + 3]), fields[i + 4]);
            producer.Add((short)fields[1], batch);
        }

        return true;
    }
}
