using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using OrleansLog.Protocol;

namespace OrleansLog.Storage.Compaction;

/// <summary>
/// The last offset of each of a bounded number of keys, in 12 bytes a place. A key is known by 64 bits of its hash that have
/// nothing to do with the ones that place it, and is compared with its few neighbours there only: that two of fifty million keys
/// are taken for one has odds of about one in ten thousand million. One caller at a time.
/// </summary>
internal sealed class OffsetMap
{
    private const int PlacesMin = 16;
    private const double LoadMax = 0.85;

    /// <summary>How far beyond its base an offset may lie.</summary>
    private const long SpanMax = uint.MaxValue - 1L;

    private readonly Entry[] _places;
    private readonly int _countMax;
    private readonly Offset _base;
    private int _count;

    /// <param name="keysMax">As many keys as will come at most: no more room than for those is taken.</param>
    /// <param name="bytesMax">The most memory.</param>
    /// <param name="baseOffset">No offset before it comes.</param>
    public OffsetMap(long keysMax, long bytesMax, Offset baseOffset)
    {
        var places = Math.Min((long)(keysMax / LoadMax) + 1, bytesMax / Marshal.SizeOf<Entry>());
        _places = new Entry[Math.Clamp(places, PlacesMin, Array.MaxLength)];
        _countMax = (int)(_places.Length * LoadMax);
        _base = baseOffset;
    }

    public int Count => _count;

    /// <summary>How many keys there is room for.</summary>
    public int CountMax => _countMax;

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Array.Clear(_places);
        _count = 0;
    }

    /// <summary>
    /// Takes note of the number of the last record of a key so far, and tells that of the one before. False when there is no room.
    /// </summary>
    public bool TryExchange(KeyHash key, uint number, out uint? before)
    {
        ref var entry = ref Find(key);
        before = entry.OffsetPlusOne == 0 ? null : entry.OffsetPlusOne - 1;
        if (before is null)
        {
            if (_count == _countMax) return false;
            _count++;
            entry.Fingerprint = key.Fingerprint;
        }

        entry.OffsetPlusOne = number + 1;
        return true;
    }

    /// <summary>How many keys ahead <see cref="Prefetch"/> is worth the while.</summary>
    public const int Ahead = 12;

    /// <summary>Says that a key will be asked for in a moment: its place may be far away from the CPU.</summary>
    public unsafe void Prefetch(KeyHash key)
    {
        if (Sse.IsSupported) Sse.Prefetch0(Unsafe.AsPointer(ref _places[(int)Math.BigMul(key.Place, (ulong)_places.Length, out _)]));
    }

    /// <summary>Whether a key came.</summary>
    public bool Contains(KeyHash key) => Find(key).OffsetPlusOne != 0;

    /// <summary>Takes note that a key is at an offset, later than any that came before. False when there is no room for it.</summary>
    public bool TryPut(KeyHash key, Offset offset)
    {
        if (offset - _base > SpanMax) return false;
        ref var entry = ref Find(key);
        if (entry.OffsetPlusOne == 0)
        {
            if (_count == _countMax) return false;
            _count++;
            entry.Fingerprint = key.Fingerprint;
        }

        entry.OffsetPlusOne = (uint)(offset - _base + 1);
        return true;
    }

    /// <summary>Where a key is last; none when it did not come.</summary>
    public Offset LastOf(KeyHash key) => Find(key).OffsetPlusOne is var found and not 0 ? _base + (found - 1L) : Offset.None;

    // Its place, or the free one that would be.
    private ref Entry Find(KeyHash key)
    {
        var places = _places;
        var at = (int)Math.BigMul(key.Place, (ulong)places.Length, out _);
        while (places[at].OffsetPlusOne != 0 && places[at].Fingerprint != key.Fingerprint)
            if (++at == places.Length) at = 0;
        return ref places[at];
    }

    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private struct Entry
    {
        public ulong Fingerprint;
        public uint OffsetPlusOne;
    }
}
