using System.Runtime.CompilerServices;

namespace OrleansLog.Compression.Zstd;

/// <summary>
/// The last three distinct offsets of a frame, which sequences name by the values 1 to 3 (RFC 8878, section 3.1.1.5).
/// After no literals, the values mean the second, the third, and the first less one.
/// </summary>
internal struct RepeatOffsets
{
    public uint First = 1, Second = 4, Third = 8;

    public RepeatOffsets() { }

    /// <summary>The offset that a sequence's value stands for (0: it stands for none), which becomes the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Decode(uint value, uint literals)
    {
        if (value > ZstdFormat.RepeatOffsets)
        {
            Third = Second;
            Second = First;
            return First = value - ZstdFormat.RepeatOffsets;
        }
        return DecodeRepeat(literals == 0 ? value + 1 : value);
    }

    /// <summary>The value by which a sequence names <paramref name="offset"/>, which becomes the first.</summary>
    public uint Encode(uint offset, int literals)
    {
        var rank = offset == First ? 1u : offset == Second ? 2u : offset == Third ? 3u : 0;
        if (literals == 0) rank = rank > 1 ? rank - 1 : offset == First - 1 ? 3u : 0;
        var value = rank > 0 ? rank : offset + ZstdFormat.RepeatOffsets;
        Decode(value, (uint)literals);
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint DecodeRepeat(uint rank)
    {
        if (rank == 1) return First;
        var offset = rank switch { 2 => Second, 3 => Third, _ => First - 1 };
        if (rank > 2) Third = Second;
        Second = First;
        return First = offset;
    }
}
