using System.Numerics;
using System.Runtime.InteropServices;

namespace OrleansLog.Compression.Zstd;

/// <summary>
/// One state of an FSE decoder: the symbol as a number (baseline and extra bits) and how to find the next state.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly record struct FseState(uint Baseline, ushort NextState, byte ExtraBits, byte StateBits);

/// <summary>A decoding table of finite state entropy (RFC 8878, section 4.1). Reusable; read-only once built.</summary>
internal sealed class FseTable(int accuracyLogMax)
{
    private readonly FseState[] _states = new FseState[1 << accuracyLogMax];

    /// <summary>The number of states is two to this power.</summary>
    public int AccuracyLog { get; private set; }

    public ReadOnlySpan<FseState> States => _states.AsSpan(0, 1 << AccuracyLog);

    public static FseTable Predefined(SequenceCodes codes)
    {
        var table = new FseTable(codes.PredefinedLog);
        table.Build(codes.Predefined, codes.PredefinedLog, codes.Baselines, codes.ExtraBits);
        return table;
    }

    /// <summary>A table whose only state yields one number for ever (the RLE mode).</summary>
    public void BuildSingle(uint baseline, byte extraBits)
    {
        AccuracyLog = 0;
        _states[0] = new(baseline, 0, extraBits, 0);
    }

    /// <summary>Builds from counts that sum to 2^accuracyLog (-1 counting as one).</summary>
    public void Build(
        ReadOnlySpan<short> counts, int accuracyLog, ReadOnlySpan<uint> baselines, ReadOnlySpan<byte> extraBits)
    {
        AccuracyLog = accuracyLog;
        var size = 1 << accuracyLog;
        Span<byte> symbols = stackalloc byte[size];
        FseSpread.Fill(symbols, counts);
        Span<ushort> next = stackalloc ushort[counts.Length];
        for (var symbol = 0; symbol < counts.Length; symbol++) next[symbol] = (ushort)Math.Abs(counts[symbol]);
        for (var state = 0; state < size; state++)
        {
            var symbol = symbols[state];
            var occurrence = next[symbol]++;
            var bits = accuracyLog - BitOperations.Log2(occurrence);
            _states[state] = new(
                baselines[symbol], (ushort)((occurrence << bits) - size), extraBits[symbol], (byte)bits);
        }
    }
}

/// <summary>How symbols are laid out over the states, the same way in decoder and encoder (section 4.1.1).</summary>
internal static class FseSpread
{
    /// <summary>Writes the symbol of each state; the length of <paramref name="symbols"/> is a power of two, 32 or more.</summary>
    public static void Fill(Span<byte> symbols, ReadOnlySpan<short> counts)
    {
        var free = symbols.Length;
        for (var symbol = 0; symbol < counts.Length; symbol++)
        {
            if (counts[symbol] == -1) symbols[--free] = (byte)symbol;
        }
        var step = (symbols.Length >> 1) + (symbols.Length >> 3) + 3;
        var position = 0;
        for (var symbol = 0; symbol < counts.Length; symbol++)
        {
            for (var i = 0; i < counts[symbol]; i++)
            {
                symbols[position] = (byte)symbol;
                do position = (position + step) & (symbols.Length - 1);
                while (position >= free);
            }
        }
    }
}
