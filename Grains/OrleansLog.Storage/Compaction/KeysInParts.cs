using OrleansLog.Protocol;

namespace OrleansLog.Storage.Compaction;

/// <summary>
/// Tells which records of a log are not the last of their key, a part of all keys at a time, as many as there is memory for: the log
/// is read once for each part, which costs less than to rewrite it once for each. One caller.
/// </summary>
/// <param name="source">The log.</param>
/// <param name="tools">What to work with.</param>
/// <param name="decoder">Takes batches apart.</param>
/// <param name="map">The memory.</param>
internal sealed class KeysInParts(CompactionSource source, CompactionTools tools, BatchDecoder decoder, OffsetMap map)
{
    // A part is expected to fill the memory up to here.
    private const double FillWanted = 0.97;
    private const double All = 1;

    private readonly DeadRecords _dead = new();
    private uint _number;

    /// <param name="offsetsMapped">How many offsets filled the memory.</param>
    /// <param name="offsets">How many there are.</param>
    public async Task<DeadRecords> FindDeadAsync(long offsetsMapped, long offsets)
    {
        // Were all keys as many as those so far, a part would be half of that. Mostly some come again.
        var width = Math.Min(0.5, 2.0 * Math.Max(1, offsetsMapped) / offsets * FillWanted);
        for (var from = 0.0; from < All;)
        {
            var to = Math.Min(All, from + width);
            if (!await FindDeadAsync(from, to))
            {
                width /= 2;
                continue;
            }

            // As dense as these the others are.
            width = map.CountMax * FillWanted * (to - from) / Math.Max(1, map.Count);
            from = to;
        }

        return _dead;
    }

    // False when there was no room. What is dead then is dead all the same.
    private async Task<bool> FindDeadAsync(double from, double to)
    {
        map.Clear();
        _number = 0;
        var (lowest, highest) = (HashAt(from), HashAt(to));
        return await ReadAsync(isDirty: true, lowest, highest) && await ReadAsync(isDirty: false, lowest, highest);
    }

    private static ulong HashAt(double share) => share >= All ? ulong.MaxValue : (ulong)(share * ulong.MaxValue);

    // What is clean is asked for after the keys of what is dirty are known; the numbers are those of the order in the log.
    private async Task<bool> ReadAsync(bool isDirty, ulong lowest, ulong highest)
    {
        using var reader = new SegmentsReader(source.Segments, source.Segments[0].BaseOffset);
        var aborted = new AbortedRecords(source.Aborted);
        _number = 0;
        for (var read = 0; reader.MoveNext();)
        {
            var header = reader.Header;
            var isPassedOver = header.NextOffset <= source.Start || header.RecordCount == 0 || header.IsControl || aborted.Contains(header);
            if (!isDirty && header.NextOffset > source.FirstDirty) return true;
            if (!isPassedOver && decoder.TryDecode(header, reader.Batch, out _) && !Take(isDirty && header.NextOffset > source.FirstDirty, isDirty, lowest, highest)) return false;
            if ((read += reader.TakeBytes()) < CompactionPass.StepBytes) continue;
            await tools.Pace(read);
            read = 0;
        }

        return true;
    }

    private static bool IsIn(KeyHash key, ulong lowest, ulong highest) => key.Fingerprint >= lowest && (key.Fingerprint < highest || highest == ulong.MaxValue);

    private bool Take(bool isOfDirty, bool isDirty, ulong lowest, ulong highest)
    {
        var places = decoder.Places;
        for (var i = 0; i < places.Length; i++)
        {
            if (i + OffsetMap.Ahead < places.Length && IsIn(places[i + OffsetMap.Ahead].Key, lowest, highest)) map.Prefetch(places[i + OffsetMap.Ahead].Key);
            ref readonly var place = ref places[i];
            var number = _number++;
            if (!place.HasKey || !IsIn(place.Key, lowest, highest)) continue;
            if (isOfDirty)
            {
                if (!map.TryExchange(place.Key, number, out var before)) return false;
                if (before is { } dead) _dead.Add(dead);
            }
            else if (!isDirty && map.Contains(place.Key))
            {
                _dead.Add(number);
            }
        }

        return true;
    }
}
