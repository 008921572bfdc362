using System.Globalization;
using System.Text;
using OrleansLog.Protocol;

namespace OrleansLog.Storage.Producers;

/// <summary>
/// The producers of a partition as a file holds them, named by the offset that they are known up to: one line a producer,
/// with its id, epoch, and for each remembered batch the first and last sequence number, the offset, the next offset and the
/// timestamp. Who was silent for longest comes first. After a letter comes what there is of transactions: <c>t</c> for what a
/// producer has to do with them, <c>e</c> for one that ended above the high watermark, <c>a</c> for an aborted one.
/// </summary>
internal static class ProducerSnapshot
{
    private const int FieldsOfProducer = 2;
    private const int FieldsOfBatch = 5;

    public static ValueTask WriteAsync(ILogFileSystem files, string directory, Offset offset, ProducerStates.Copy producers) =>
        CheckpointFile.WriteAsync(files, directory, NameOf(offset), producers.Producers.Select(static producer => ToLine(producer))
            .Concat(producers.Producers.Where(static producer => HasTransactions(producer)).Select(static producer => ToTransactionLine(producer)))
            .Concat(producers.Ended.Select(static ended => Line("e", ended.First.Value, ended.Marker.Value)))
            .Concat(producers.Aborted.Select(static aborted =>
                Line("a", aborted.ProducerId, aborted.First.Value, aborted.Marker.Value, aborted.LastStableOffset.Value))));

    /// <summary>The producers of a snapshot, taken for active now; null when there is none or its bytes are not what was written.</summary>
    public static ProducerStates? Read(ILogFileSystem files, string directory, Offset offset, long nowMs)
    {
        var lines = CheckpointFile.Read(files, directory, NameOf(offset));
        return lines is not null && TryParse(lines, nowMs, out var copy) ? ProducerStates.Of(copy) : null;
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

    private static bool HasTransactions(in ProducerState producer) =>
        producer.LastMarker != Offset.None || producer.IsInTransaction;

    private static string ToTransactionLine(in ProducerState producer) => Line(
        "t", producer.ProducerId, producer.CoordinatorEpoch, producer.TransactionStart.Value, producer.LastMarker.Value, producer.LastTimestampMs);

    private static string Line(string kind, params ReadOnlySpan<long> fields)
    {
        var line = new StringBuilder(kind);
        foreach (var field in fields) line.Append(CultureInfo.InvariantCulture, $" {field}");
        return line.ToString();
    }

    private static bool TryParse(string[] lines, long nowMs, out ProducerStates.Copy copy)
    {
        var producers = new List<ProducerState>();
        var (ended, aborted) = (new List<EndedTransaction>(), new List<AbortedTransaction>());
        var positions = new Dictionary<long, int>();
        copy = null!;
        foreach (var line in lines)
        {
            var kind = char.IsAsciiLetter(line[0]) ? line[0] : ' ';
            if (!TryParseFields(kind == ' ' ? line : line[Math.Min(2, line.Length)..], out var fields)) return false;
            var isSound = (kind, fields.Length) switch
            {
                ('e', 2) => Add(ended, new(new(fields[0]), new(fields[1]))),
                ('a', 4) => Add(aborted, new(fields[0], new(fields[1]), new(fields[2]), new(fields[3]))),
                ('t', 5) => positions.TryGetValue(fields[0], out var at) && Amend(producers, at, fields),
                (' ', >= FieldsOfProducer) => positions.TryAdd(fields[0], producers.Count) && TryAdd(producers, fields, nowMs),
                _ => false,
            };
            if (!isSound) return false;
        }

        copy = new([.. producers], [.. ended], [.. aborted], Version: 0);
        return true;
    }

    private static bool Add<T>(List<T> list, T item)
    {
        list.Add(item);
        return true;
    }

    private static bool Amend(List<ProducerState> producers, int at, long[] fields)
    {
        var producer = producers[at];
        producer.CoordinatorEpoch = (int)fields[1];
        producer.TransactionStart = new(fields[2]);
        producer.LastMarker = new(fields[3]);
        producer.LastTimestampMs = fields[4];
        producers[at] = producer;
        return true;
    }

    private static bool TryAdd(List<ProducerState> producers, long[] fields, long nowMs)
    {
        if ((fields.Length - FieldsOfProducer) % FieldsOfBatch != 0) return false;
        var producer = new ProducerState { ProducerId = fields[0], LastActiveMs = nowMs };
        producer.BeginEpoch((short)fields[1]);
        for (var i = FieldsOfProducer; i < fields.Length; i += FieldsOfBatch)
        {
            var batch = new ProducedBatch((int)fields[i], (int)fields[i + 1], new(fields[i + 2]), new(fields[i + 3]), fields[i + 4]);
            producer.Add((short)fields[1], batch);
        }

        return Add(producers, producer);
    }

    private static bool TryParseFields(string line, out long[] fields)
    {
        var texts = line.Split(' ');
        fields = new long[texts.Length];
        for (var i = 0; i < texts.Length; i++)
            if (!long.TryParse(texts[i], CultureInfo.InvariantCulture, out fields[i])) return false;
        return true;
    }
}
