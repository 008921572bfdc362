using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace OrleansLog.Storage.Compaction;

/// <summary>What came of giving a key to a <see cref="KeySet"/>.</summary>
internal enum KeyAddition
{
    /// <summary>It is there now.</summary>
    New,

    /// <summary>It was there already.</summary>
    Known,

    /// <summary>It is not, and there is no room for it: the set is of no use any more, until it is cleared.</summary>
    NoRoom,
}

/// <summary>
/// A bounded number of keys in 8 bytes each: an open hash table in which a key lies as near to its home as those of the
/// keys around it that are further from theirs let it (P. Celis, "Robin Hood Hashing", 1986). A place holds how far its key is
/// from home and 54 bits of the key's hash that have nothing to do with the ones that say where home is: that two of fifty
/// million keys are taken for one has odds of about one in a thousand million. One caller at a time.
/// </summary>
internal sealed class KeySet
{
    /// <summary>How many keys ahead <see cref="Prefetch"/> is worth the while.</summary>
    public const int Ahead = 12;

    private const int PlacesMin = 16;
    private const double LoadMax = 0.97;

    // One step from home, in the upper bits. At home it is one, for a free place is all zeros.
    private const ulong Step = 1UL << HashBits;
    private const int HashBits = 54;
    private const ulong HashMask = Step - 1;

    private readonly ulong[] _places;

    /// <param name="keysMax">As many keys as will come at most: no more room than for those is taken.</param>
    /// <param name="bytesMax">The most memory.</param>
    public KeySet(long keysMax, long bytesMax)
    {
        var places = Math.Min((long)(keysMax / LoadMax) + 1, bytesMax / sizeof(ulong));
        _places = new ulong[Math.Clamp(places, PlacesMin, Array.MaxLength)];
        CountMax = (int)(_places.Length * LoadMax);
    }

    public int Count { get; private set; }

    /// <summary>How many keys there is room for.</summary>
    public int CountMax { get; }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Array.Clear(_places);
        Count = 0;
    }

    /// <summary>Says that a key will be asked for in a moment: its place may be far away from the CPU.</summary>
    public unsafe void Prefetch(KeyHash key)
    {
        if (Sse.IsSupported) Sse.Prefetch0(Unsafe.AsPointer(ref _places[HomeOf(key)]));
    }

    public bool Contains(KeyHash key) => Find(key, out _, out _);

    public KeyAddition Add(KeyHash key)
    {
        if (Find(key, out var at, out var place)) return KeyAddition.Known;
        if (Count == CountMax || IsAhead(_places[at], place)) return KeyAddition.NoRoom;
        Count++;
        // Everyone from there on moves up, to the next free place.
        while (place != 0)
        {
            (place, _places[at]) = (_places[at], place);
            if (place == 0) break;
            if (!TryStep(ref place)) return KeyAddition.NoRoom;
            at = Next(at);
        }

        return KeyAddition.New;
    }

    // Where it is, or where it would be and what would be there: not beyond the first that is nearer to its own home.
    private bool Find(KeyHash key, out int at, out ulong place)
    {
        at = HomeOf(key);
        place = Step | (key.Fingerprint & HashMask);
        for (; ; at = Next(at))
        {
            var there = _places[at];
            if (there == place) return true;
            if (!IsAhead(there, place)) return false;
            // Nobody is that far from home where the key could be found behind.
            if (!TryStep(ref place)) return false;
        }
    }

    // Whether who lies there is at least as far from home.
    private static bool IsAhead(ulong there, ulong place) => there >> HashBits >= place >> HashBits;

    private static bool TryStep(ref ulong place)
    {
        var isNearEnough = place >> HashBits < ulong.MaxValue >> HashBits;
        if (isNearEnough) place += Step;
        return isNearEnough;
    }

    private int HomeOf(KeyHash key) => (int)Math.BigMul(key.Place, (ulong)_places.Length, out _);

    private int Next(int at) => at + 1 == _places.Length ? 0 : at + 1;
}
