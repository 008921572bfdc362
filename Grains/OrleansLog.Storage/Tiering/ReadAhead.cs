namespace OrleansLog.Storage.Tiering;

/// <summary>
/// Has fetched what a sequential reader will want next: twice as much as it has read in sequence so far, up to a limit, in blocks
/// that grow alike. Who reads here and there costs little more than what it reads. Knows readers only by the blocks that they
/// read. Any thread.
/// </summary>
internal sealed class ReadAhead(RemoteCache cache, Func<RemoteManifest?> manifest)
{
    /// <summary>Somebody has begun to read a block.</summary>
    public void Follow(RemoteSegment segment, RemoteIndex index, StoredBlock block)
    {
        var (current, chunks, number, ahead) = (segment, index, block.End, 0L);
        var bytesMax = Math.Min(2 * block.RunBytes, cache.Options.AheadBytesMax);
        var blockBytes = (int)Math.Min(block.RunBytes, cache.Options.BlockBytesMax);
        while (ahead < bytesMax)
        {
            if (number == chunks.Chunks.Count)
            {
                if (manifest()?.Find(current.NextOffset) is not { } next || cache.FindIndex(next, GoOn) is not { } nextIndex) return;
                (current, chunks, number) = (next, nextIndex, 0);
            }

            var end = cache.EndAt(current, number) ?? cache.FetchAhead(current, chunks, number, blockBytes, block.RunBytes + ahead);
            if (end == number) return;
            ahead += chunks.BytesOf(current, number, end);
            number = end;
        }

        // The index that was missing has come.
        void GoOn(Exception? why)
        {
            if (why is null) Follow(segment, index, block);
        }
    }
}
