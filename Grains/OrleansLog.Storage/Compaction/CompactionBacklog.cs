namespace OrleansLog.Storage.Compaction;

/// <summary>What there is to compact in a log.</summary>
/// <param name="CleanBytes">Bytes of segments that were compacted.</param>
/// <param name="DirtyBytes">Bytes of segments that can be compacted and were not yet.</param>
/// <param name="IsOverdue">Whether some of it is older than <see cref="CompactionOptions.MaxLagMs"/>.</param>
/// <param name="HasExpiredTombstones">Whether every tombstone that was kept may go now.</param>
public readonly record struct CompactionBacklog(long CleanBytes, long DirtyBytes, bool IsOverdue, bool HasExpiredTombstones)
{
    /// <summary>The share of the bytes that was not compacted yet.</summary>
    public double DirtyRatio => DirtyBytes == 0 ? 0 : (double)DirtyBytes / (CleanBytes + DirtyBytes);

    /// <summary>Whether compaction should run now.</summary>
    public bool IsDue(CompactionOptions options) =>
        (DirtyBytes > 0 && (IsOverdue || DirtyRatio > options.MinDirtyRatio)) || HasExpiredTombstones;
}

/// <summary>What one compaction did.</summary>
/// <param name="BytesBefore">Bytes of the segments that were rewritten.</param>
/// <param name="BytesAfter">Bytes of what took their place.</param>
/// <param name="RecordsRemoved">Records that are gone.</param>
/// <param name="End">Everything below is compacted now.</param>
/// <param name="IsWhole">Whether that is all there was to compact; else there were more keys than the memory holds.</param>
public readonly record struct CompactionResult(long BytesBefore, long BytesAfter, long RecordsRemoved, Protocol.Offset End, bool IsWhole);
