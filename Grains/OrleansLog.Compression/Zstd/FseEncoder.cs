using System.Numerics;
using System.Runtime.CompilerServices;

namespace OrleansLog.Compression.Zstd;

/// <summary>
/// An encoding table of finite state entropy: the mirror of <see cref="FseTable"/> (RFC 8878, section 4.1). A state here
/// is a decoder's state plus the table size. Reusable; read-only once built.
/// </summary>
internal sealed class FseEncoder(int accuracyLogMax, int symbolsMax)
{
    // The states that decode to each symbol, in ascending order, symbol after symbol.
    private readonly ushort[] _states = new ushort[1 << accuracyLogMax];
    private readonly Transition[] _transitions = new Transition[symbolsMax];

    public int AccuracyLog { get; private set; }

    /// <summary>A table of one state, which takes no bits (the RLE mode).</summary>
    public void BuildSingle(int symbol)
    {
        AccuracyLog = 0;
        _states[0] = 1;
        _transitions[symbol] = new(0, -1, 0);
    }

    /// <summary>Builds from counts that sum to 2^accuracyLog (-1 counting as one).</summary>
    public void Build(ReadOnlySpan<short> counts, int accuracyLog)
    {
        AccuracyLog = accuracyLog;
        var size = 1 << accuracyLog;
        Span<byte> symbols = stackalloc byte[size];
        FseSpread.Fill(symbols, counts);
        Span<ushort> next = stackalloc ushort[counts.Length];
        var first = 0;
        for (var symbol = 0; symbol < counts.Length; symbol++)
        {
            var count = Math.Abs((int)counts[symbol]);
            next[symbol] = (ushort)first;
            if (count > 0) _transitions[symbol] = Describe(count, first, accuracyLog);
            first += count;
        }
        for (var state = 0; state < size; state++) _states[next[symbols[state]]++] = (ushort)(size + state);
    }

    /// <summary>
    /// The state of the last <paramref name="symbol"/>, where encoding begins: the one that has the decoder read most
    /// bits next, so that a decoder which stops where the bits run out does stop.
    /// </summary>
    public uint Start(int symbol) => _states[_transitions[symbol].First];

    /// <summary>Puts <paramref name="symbol"/> before what was encoded: writes how its state leads to the present one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Encode(ref BitWriter writer, uint state, int symbol)
    {
        var transition = _transitions[symbol];
        var bits = (int)((state + transition.BitsDelta) >> 16);
        writer.Add(state & ((1u << bits) - 1), bits);
        return _states[(int)(state >> bits) + transition.StateDelta];
    }

    /// <summary>Writes the state of the first symbol, where decoding begins.</summary>
    public void Finish(ref BitWriter writer, uint state) => writer.Add(state - (1u << AccuracyLog), AccuracyLog);

    /// <summary>
    /// A symbol with n of the states is reached from state s by writing its lowest b bits, where b brings s into
    /// [n, 2n): it is one of two neighbours, and the carry of an addition tells which.
    /// </summary>
    private static Transition Describe(int count, int first, int accuracyLog)
    {
        var bitsMax = count == 1 ? accuracyLog : accuracyLog - BitOperations.Log2((uint)count - 1);
        return new((uint)((bitsMax << 16) - (count << bitsMax)), first - count, first);
    }

    private readonly record struct Transition(uint BitsDelta, int StateDelta, int First);
}
