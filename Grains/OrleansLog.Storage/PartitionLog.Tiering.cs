using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Storage;

/// <summary>What it takes to keep sealed segments elsewhere.</summary>
public sealed partial class PartitionLog
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>Where the sealed segment that holds an offset ends; null when no sealed one does.</summary>
    public Offset? EndOfSealed(Offset offset)
    {
        var segments = Volatile.Read(ref _segments);
        var number = NumberOf(segments, offset);
        return number < 0 || number >= segments.Length - 1 || segments[number].NextOffset <= offset ? null : segments[number].NextOffset;
    }

    /// <summary>Where the batch begins that holds an offset.</summary>
    /// <exception cref="IOException">The files cannot be read.</exception>
    public Offset BatchStartAt(Offset offset)
    {
        var segments = Volatile.Read(ref _segments);
        var number = NumberOf(segments, offset);
        return number < 0 ? offset : segments[number].BatchAt(offset).BaseOffset;
    }

    /// <summary>
    /// What a sealed segment holds from an offset on, at which a batch begins, read from front to back and checked; null when no
    /// sealed segment holds it. The file stays readable for <see cref="LogOptions.FileDeleteDelayMs"/> after it was deleted here.
    /// </summary>
    /// <param name="from">The first offset.</param>
    /// <param name="name">What it will be called in the store.</param>
    /// <exception cref="StorageException">It is damaged: nothing of it may go anywhere.</exception>
    /// <exception cref="IOException">The files cannot be read.</exception>
    public SealedSegment? Describe(Offset from, string name)
    {
        var segments = Volatile.Read(ref _segments);
        var number = NumberOf(segments, from);
        return number < 0 || number >= segments.Length - 1 || segments[number].NextOffset <= from ? null : Describe(segments[number], from, name);
    }

    /// <summary>The aborted transactions that have records between two offsets. Any thread.</summary>
    public IReadOnlyList<AbortedTransaction> AbortedTransactions(Offset from, Offset to) =>
        Volatile.Read(ref _producers).Transactions.Aborted(from, to);

    private SealedSegment Describe(Segment segment, Offset from, string name)
    {
        var (start, baseOffset) = segment.BatchAt(from);
        if (baseOffset != from) throw new StorageException($"{segment.LogPath}: no batch begins at offset {from}");
        var chunks = new List<RemoteChunk>();
        using var scanner = new SegmentScanner(segment.Log, start, segment.Size, from, segment.KnownEpochs, segment.NextOffset);
        while (scanner.MoveNext())
        {
            if (scanner.IsDamaged) throw Refuse(segment, scanner);
            Note(chunks, scanner.Header, scanner.Position - start);
        }

        var index = new RemoteIndex(chunks);
        var remote = new RemoteSegment(
            name, from, segment.NextOffset, segment.Size - start, ChecksumOf(segment.Log, start, segment.Size), Crc32C.Compute(index.Encode()),
            chunks.Max(chunk => chunk.MaxTimestampMs), [.. Epochs.Between(from, segment.NextOffset)], AbortedTransactions(from, segment.NextOffset));
        return new SealedSegment(remote, index, segment.Log, start);
    }

    private static void Note(List<RemoteChunk> chunks, in RecordBatchHeader batch, int position)
    {
        if (chunks.Count == 0 || position - chunks[^1].Position >= ChunkBytes) chunks.Add(new(batch.BaseOffset, position, RecordBatchHeader.NoTimestamp));
        chunks[^1] = chunks[^1] with { MaxTimestampMs = Math.Max(chunks[^1].MaxTimestampMs, batch.MaxTimestamp) };
    }

    private static StorageException Refuse(Segment segment, SegmentScanner scanner)
    {
        var damage = scanner.Damage(segment.LogPath, segment.NextOffset);
        segment.Refuse(damage);
        return new StorageException($"{damage}; it is not kept elsewhere as it is");
    }

    private static uint ChecksumOf(ILogFile file, int from, int to)
    {
        var block = new byte[ChunkBytes];
        var crc = 0u;
        for (var at = from; at < to;)
        {
            var read = block.AsSpan(0, Math.Min(block.Length, to - at));
            file.ReadExactly(at, read);
            crc = Crc32C.Append(crc, read);
            at += read.Length;
        }

        return crc;
    }
}
