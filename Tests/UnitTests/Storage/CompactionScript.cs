using System.Globalization;
using System.Text;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage;
using OrleansLog.Storage.Compaction;

namespace OrleansLog.UnitTests.Storage;

/// <summary>A compacted log and the words that scenarios of compaction use: <c>a=1</c> is a record, <c>a=</c> a tombstone.</summary>
internal sealed class CompactionScript(int seed = 0)
{
    public LogHarness Harness { get; } = new(seed)
    {
        Options = new LogOptions { IndexIntervalBytes = 100, FlushMessages = long.MaxValue, SegmentBytes = 1 << 20, Compaction = new() { DeleteRetentionMs = 1000, MinDirtyRatio = 0 } },
    };

    public CompactionTools Tools { get; set; } = new();

    public PartitionLog Log => Harness.Log;

    public long NowMs => Harness.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    public async Task<CompactionScript> OpenAsync()
    {
        await Harness.OpenAsync();
        return this;
    }

    /// <summary>Appends one batch for each word; the commas in one part its records.</summary>
    public CompactionScript Append(string batches, int epoch = 0)
    {
        foreach (var batch in batches.Split(' ')) Harness.Append(Batch(batch.Split(',')), epoch);
        return this;
    }

    public AppendResult Append(byte[] batch, int epoch = 0) =>
        Log.Append(batch, new LeaderEpoch(epoch), new() { VerifiedAt = Log.LogEndOffset });

    public byte[] Batch(string[] records, long producer = -1, int sequence = -1, bool isTransactional = false, IRecordCompressor? compressor = null)
    {
        using var builder = new RecordBatchBuilder(1 << 20)
        {
            ProducerId = producer,
            ProducerEpoch = (short)(producer < 0 ? -1 : 0),
            BaseSequence = sequence,
            IsTransactional = isTransactional,
        };
        foreach (var record in records)
        {
            var at = record.IndexOf('=', StringComparison.Ordinal);
            var value = Encoding.UTF8.GetBytes(record[(at + 1)..]);
            builder.TryAppend(NowMs, Encoding.UTF8.GetBytes(record[..Math.Max(0, at)]), at < 0, value, value.Length == 0, []);
        }

        return builder.Build(compressor).ToArray();
    }

    public AppendResult End(long producer, bool isCommit) =>
        Append(new EndTransactionMarker(producer, 0, isCommit, 0).Encode(NowMs));

    /// <summary>Seals what there is, with a batch behind it that stays.</summary>
    public CompactionScript Roll(string next = "z=z")
    {
        Log.Roll();
        return Append(next);
    }

    public async Task<CompactionResult?> CompactAsync(Offset? highWatermark = null)
    {
        await Log.FlushAsync(Log.LogEndOffset);
        return await Log.CompactAsync(highWatermark ?? Log.LogEndOffset, Tools);
    }

    /// <summary>What readers see: the records with their offsets.</summary>
    public string Content(Offset? from = null, Offset? to = null)
    {
        var records = new List<string>();
        foreach (var (header, batch) in Batches(from ?? Log.LogStartOffset))
        {
            if (header.IsControl)
            {
                Assert.True(EndTransactionMarker.TryRead(batch, out var marker));
                records.Add(string.Create(CultureInfo.InvariantCulture, $"{header.BaseOffset}:{(marker.IsCommit ? "commit" : "abort")}{header.ProducerId}"));
                continue;
            }

            Assert.Equal(CompressionType.None, header.Compression);
            records.AddRange(Records(header, batch.AsSpan(RecordBatchHeader.Size)));
        }

        return string.Join(' ', records.Where(record => long.Parse(record.Split(':')[0], CultureInfo.InvariantCulture) < (to ?? Log.LogEndOffset).Value));
    }

    public static List<string> Records(in RecordBatchHeader header, ReadOnlySpan<byte> records)
    {
        var found = new List<string>();
        var reader = new RecordReader(header, records);
        while (reader.TryRead(out var record))
            found.Add(string.Create(CultureInfo.InvariantCulture, $"{record.Offset}:{Encoding.UTF8.GetString(record.Key)}={Encoding.UTF8.GetString(record.Value)}"));
        return found;
    }

    /// <summary>Every batch as it lies there. They follow one another without a gap, and none has other records' epoch.</summary>
    public List<(RecordBatchHeader Header, byte[] Bytes)> Batches(Offset from)
    {
        var bytes = Harness.ReadAll(from);
        var batches = new List<(RecordBatchHeader, byte[])>();
        var next = Offset.None;
        for (var at = 0; at < bytes.Length;)
        {
            RecordBatchHeader.TryRead(bytes.AsSpan(at), out var header);
            Assert.True(next == Offset.None || header.BaseOffset == next, $"a batch at {header.BaseOffset} where {next} is due");
            Assert.Equal(Log.EpochAt(Offset.Max(header.BaseOffset, Log.LogStartOffset)), header.PartitionLeaderEpoch);
            next = header.NextOffset;
            batches.Add((header, bytes[at..(at + header.SizeInBytes)]));
            at += header.SizeInBytes;
        }

        return batches;
    }

    /// <summary>As <c>0-3</c> for an empty batch and <c>4</c> for one with records.</summary>
    public string Shape() => string.Join(' ', Batches(Log.LogStartOffset).Select(batch => batch.Header.RecordCount == 0
        ? string.Create(CultureInfo.InvariantCulture, $"[{batch.Header.BaseOffset}-{batch.Header.LastOffset}]{(batch.Header.ProducerId < 0 ? "" : "p")}")
        : string.Create(CultureInfo.InvariantCulture, $"{batch.Header.BaseOffset}")));
}
