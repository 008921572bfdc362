using OrleansLog.Protocol;

namespace OrleansLog.Storage;

/// <summary>
/// Bytes at rest change without a word, and what nobody reads nobody misses until the last sound copy is gone: they are read
/// again now and then, against their CRCs, from the log's start to its end.
/// </summary>
public sealed partial class PartitionLog
{
    private readonly Lock _scrubTurn = new();
    private ScrubPlace? _scrubbed;
    // Rises before anything is cut off.
    private long _cuts;

    /// <summary>
    /// Checks some of the log, going on where the last call ended. Damage that it comes upon is refused from then on:
    /// <see cref="FirstRefusedOffset"/>. Any thread; takes no lock that an append waits for, but for an instant.
    /// </summary>
    /// <param name="bytesMax">Ends after the batch that reaches this many bytes.</param>
    /// <returns>The bytes that were checked; 0 at the end of the log, after which the next call begins anew.</returns>
    /// <exception cref="IOException">The files cannot be read.</exception>
    public int Scrub(int bytesMax)
    {
        lock (_scrubTurn)
        {
            _scrubbed = Failure is null ? NextToScrub() : null;
            if (_scrubbed is not { } place) return 0;
            try
            {
                return Scrub(place, bytesMax);
            }
            catch (Exception e) when (e is ObjectDisposedException || (e is IOException && !Volatile.Read(ref _segments).Contains(place.Segment)))
            {
                // It was deleted meanwhile, or the log was closed.
                _scrubbed = null;
                return 0;
            }
        }
    }

    private int Scrub(ScrubPlace place, int bytesMax)
    {
        var segment = place.Segment;
        var from = place.Position;
        using var scanner = new SegmentScanner(segment.Log, from, place.Size, place.Offset, segment.KnownEpochs, place.EndOffset);
        while (scanner.NextPosition - from < bytesMax && scanner.MoveNext())
        {
            if (!scanner.IsDamaged || IsRefused(segment, scanner.Position)) continue;
            // What was cut off while it was read looks like damage, and is none.
            lock (_turn)
                if (place.Cuts == _cuts) segment.Refuse(scanner.Damage(segment.LogPath, place.EndOffset));
        }

        _scrubbed = place with { Position = scanner.NextPosition, Offset = scanner.NextOffset };
        return scanner.NextPosition - from;
    }

    // Null when all there is has been seen.
    private ScrubPlace? NextToScrub()
    {
        lock (_turn)
        {
            var last = _scrubbed?.Cuts == _cuts ? _scrubbed : null;
            if (last is { } place && _segments.Contains(place.Segment) && place.Position < place.Segment.Size)
                return place with { Size = place.Segment.Size, EndOffset = place.Segment.NextOffset };
            var after = last?.Segment.BaseOffset ?? Offset.None;
            var next = _segments.FirstOrDefault(segment => segment.Size > 0 && segment.BaseOffset > after);
            return next is null ? null : new(next, 0, next.BaseOffset, next.Size, next.NextOffset, _cuts);
        }
    }

    private static bool IsRefused(Segment segment, int position)
    {
        foreach (var range in segment.Refused)
            if (range.Position <= position && position < range.Position + range.Length) return true;
        return false;
    }

    /// <param name="Segment">Where the next batch to check is.</param>
    /// <param name="Position">Its place there.</param>
    /// <param name="Offset">Its offset.</param>
    /// <param name="Size">Up to where there is anything.</param>
    /// <param name="EndOffset">The offset due there.</param>
    /// <param name="Cuts">How often the log had been cut: after one more, nothing here holds.</param>
    private readonly record struct ScrubPlace(Segment Segment, int Position, Offset Offset, int Size, Offset EndOffset, long Cuts);
}
