using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage;

/// <summary>What a follower does with its log: it takes batches as the leader wrote them.</summary>
public sealed partial class PartitionLog : ILogOutline
{
    /// <summary>
    /// Appends batches that have their offsets and leader epochs already, exactly as the leader holds them. They begin
    /// at <see cref="LogEndOffset"/>, but for a first one without records, which may begin before: only what it adds is taken
    /// then. The buffer is only read. See <see cref="SettleAsync"/> for durability.
    /// </summary>
    /// <returns>The log end offset from now on.</returns>
    /// <exception cref="StorageException">The disk is full or failed; nothing was appended.</exception>
    /// <exception cref="ArgumentException">The bytes are not whole batches, or do not go on where the log ends.</exception>
    public Offset AppendAsFollower(ReadOnlySpan<byte> batches)
    {
        ThrowIfFailed();
        Span<byte> rest = stackalloc byte[EmptyBatch.Size];
        if (RestOfEmpty(batches, rest) is > 0 and var skip)
        {
            AppendAsFollower(rest);
            batches = batches[skip..];
            if (batches.IsEmpty) return LogEndOffset;
        }

        Offset next;
        lock (_turn)
        {
            next = CheckContinuation(batches, LogEndOffset);
            Write(batches, next, _time.GetUtcNow().ToUnixTimeMilliseconds());
            NoteBatches(batches);
            Volatile.Write(ref _logEndOffset, next.Value);
        }

        FlushLater();
        CheckpointIfDue(batches.Length);
        return next;
    }

    /// <summary>
    /// The leader epoch under which the record at <paramref name="offset"/> was appended;
    /// <see cref="LeaderEpoch.None"/> for an offset that is not in the log. Any thread.
    /// </summary>
    public LeaderEpoch EpochAt(Offset offset) =>
        offset < LogStartOffset || offset >= LogEndOffset ? LeaderEpoch.None : Epochs.EpochAt(offset);

    /// <summary>
    /// The first offset that is known to be damaged, in what was read so far, or missing; null if all was sound. Any thread.
    /// </summary>
    public Offset? FirstRefusedOffset
    {
        get
        {
            lock (_turn) return FindFirstRefused();
        }
    }

    /// <summary>As <see cref="FirstRefusedOffset"/>, after everything that was not read yet has been read.</summary>
    /// <exception cref="IOException">The files cannot be read.</exception>
    public Offset? CheckAll() => LookUp(segments =>
    {
        foreach (var segment in segments) segment.SoundEnd(0, segment.Size);
        return FirstRefusedOffset;
    });

    private Offset? FindFirstRefused()
    {
        var expected = LogStartOffset;
        foreach (var segment in _segments)
        {
            if (segment.BaseOffset > expected) return expected;
            foreach (var range in segment.Refused)
                if (range.To > LogStartOffset) return Offset.Max(range.From, LogStartOffset);
            expected = Offset.Max(expected, segment.NextOffset);
        }

        return expected < LogEndOffset ? expected : null;
    }

    // The bytes of a first batch without records that reaches across the log's end; what it adds is in the destination.
    private int RestOfEmpty(ReadOnlySpan<byte> batches, Span<byte> destination)
    {
        var end = LogEndOffset;
        if (RecordBatchHeader.TryRead(batches, out var first) != ErrorCode.None) return 0;
        if (first.RecordCount > 0 || first.BaseOffset >= end || first.NextOffset <= end) return 0;
        EmptyBatch.Write(destination, end, first.NextOffset, first.PartitionLeaderEpoch);
        return first.SizeInBytes;
    }

    private static Offset CheckContinuation(ReadOnlySpan<byte> batches, Offset next)
    {
        if (batches.IsEmpty) throw new ArgumentException("An append needs at least one record batch.");
        while (!batches.IsEmpty)
        {
            if (RecordBatchHeader.TryRead(batches, out var header) != ErrorCode.None || header.SizeInBytes > batches.Length)
                throw new ArgumentException("An append must consist of whole, validated record batches.");
            if (header.BaseOffset != next || header.LastOffsetDelta < 0)
                throw new ArgumentException($"A batch begins at offset {header.BaseOffset}, and the log goes on at {next}.");
            next = header.NextOffset;
            batches = batches[header.SizeInBytes..];
        }

        return next;
    }

    private void NoteBatches(ReadOnlySpan<byte> batches)
    {
        var nowMs = MonotonicMs;
        foreach (var batch in new RecordBatchEnumerator(batches))
        {
            NoteProducer(batch.Header, batch.Bytes, nowMs);
            if (batch.Header.PartitionLeaderEpoch > Epochs.Latest)
                Volatile.Write(ref _epochs, Epochs.With(batch.Header.PartitionLeaderEpoch, batch.Header.BaseOffset));
        }
    }
}
