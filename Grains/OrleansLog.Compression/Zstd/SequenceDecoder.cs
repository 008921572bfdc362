using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OrleansLog.Compression.Buffers;

namespace OrleansLog.Compression.Zstd;

/// <summary>
/// Decodes the sequences section of a block and carries the sequences out (RFC 8878, sections 3.1.1.3.2 and 3.1.1.4).
/// Remembers the tables and offsets for later blocks of the frame.
/// </summary>
internal sealed class SequenceDecoder
{
    private const int LongCountBase = 0x7F00;

    /// <summary>Bits that the three states take at most to move on.</summary>
    private const int StateBitsMax = 9 + 9 + 8;

    private readonly SequenceTable _literalsLengths = new(SequenceCodes.LiteralsLength);
    private readonly SequenceTable _matchLengths = new(SequenceCodes.MatchLength);
    private readonly SequenceTable _offsets = new(SequenceCodes.Offset);
    private RepeatOffsets _repeats = new();

    /// <summary>Forgets what the frame before left.</summary>
    public void StartFrame()
    {
        _literalsLengths.Forget();
        _matchLengths.Forget();
        _offsets.Forget();
        _repeats = new();
    }

    /// <summary>Decodes the section from <paramref name="at"/> to <paramref name="end"/> and appends the block's bytes.</summary>
    /// <param name="source">The whole input.</param>
    /// <param name="at">Where the section begins.</param>
    /// <param name="end">Where the block ends.</param>
    /// <param name="literals">The block's literals.</param>
    /// <param name="output">Takes the bytes; a limit for the block is reserved.</param>
    /// <param name="limits">How far back matches reach, and where the block must end.</param>
    public void Decode(
        ReadOnlySpan<byte> source, int at, int end, LiteralsDecoder literals, ref DecodedBuffer output, BlockLimits limits)
    {
        var count = ReadCount(source, ref at, end);
        var literalsUsed = 0;
        if (count > 0)
        {
            if (at >= end) Corrupt.ThrowTruncated(at);
            int modes = source[at++];
            if ((modes & 3) != 0) Corrupt.Throw("A zstd block uses reserved bits", at - 1);
            _literalsLengths.Read((TableMode)(modes >> 6), source, ref at, end);
            _offsets.Read((TableMode)((modes >> 4) & 3), source, ref at, end);
            _matchLengths.Read((TableMode)((modes >> 2) & 3), source, ref at, end);
            literalsUsed = Execute(new(source, at, end), count, at, literals, ref output, limits);
        }
        else if (at != end) Corrupt.Throw("A zstd block goes on after its end", at);
        AppendRest(literals, literalsUsed, at, ref output, limits);
    }

    private static int ReadCount(ReadOnlySpan<byte> source, ref int at, int end)
    {
        if (at >= end) Corrupt.ThrowTruncated(at);
        int first = source[at++];
        if (first < 128) return first;
        var more = first == 255 ? 2 : 1;
        if (more > end - at) Corrupt.ThrowTruncated(end);
        var count = more == 2 ? source[at] + (source[at + 1] << 8) + LongCountBase : ((first - 128) << 8) + source[at];
        at += more;
        return count;
    }

    private static void AppendRest(
        LiteralsDecoder literals, int used, int at, ref DecodedBuffer output, BlockLimits limits)
    {
        var rest = literals.Count - used;
        if (rest > limits.End - output.Length) Corrupt.ThrowTooLarge(at);
        literals.Literals.AsSpan(used, rest).CopyTo(output.Append(rest, at));
    }

    /// <summary>Returns how many literals were used.</summary>
    private int Execute(
        BackwardBitReader stream, int count, int at, LiteralsDecoder literals, ref DecodedBuffer output, BlockLimits limits)
    {
        ref var literalsStates = ref MemoryMarshal.GetReference(_literalsLengths.Table.States);
        ref var matchStates = ref MemoryMarshal.GetReference(_matchLengths.Table.States);
        ref var offsetStates = ref MemoryMarshal.GetReference(_offsets.Table.States);
        ref var literal = ref MemoryMarshal.GetArrayDataReference(literals.Literals);
        ref var origin = ref output.Origin;
        var bits = stream;
        var repeats = _repeats;
        var position = output.Length;
        var literalsLeft = literals.Count;
        bits.Refill();
        var literalsState = Unsafe.Add(ref literalsStates, bits.Read(_literalsLengths.Table.AccuracyLog));
        var offsetState = Unsafe.Add(ref offsetStates, bits.Read(_offsets.Table.AccuracyLog));
        var matchState = Unsafe.Add(ref matchStates, bits.Read(_matchLengths.Table.AccuracyLog));
        while (true)
        {
            bits.Refill();
            var offsetValue = offsetState.Baseline + bits.Read(offsetState.ExtraBits);
            var matchLength = matchState.Baseline + bits.Read(matchState.ExtraBits);
            if (offsetState.ExtraBits + matchState.ExtraBits + literalsState.ExtraBits
                > BackwardBitReader.BitsPerRefill - StateBitsMax) bits.Refill();
            var literalsLength = literalsState.Baseline + bits.Read(literalsState.ExtraBits);
            var offset = repeats.Decode(offsetValue, literalsLength);

            // Lengths are below 2^18 and checked before the copies; what the copies' steps write past them falls into
            // the buffer's slack.
            if (literalsLength > literalsLeft) Corrupt.Throw("A zstd sequence wants more literals than there are", at);
            if (literalsLength + matchLength > limits.End - position) Corrupt.ThrowTooLarge(at);
            RawBytes.CopySteps(ref literal, ref Unsafe.Add(ref origin, position), (int)literalsLength);
            literal = ref Unsafe.Add(ref literal, literalsLength);
            literalsLeft -= (int)literalsLength;
            position += (int)literalsLength;
            if (offset - 1 >= Math.Min((uint)(position - limits.HistoryStart), limits.Window))
                Corrupt.Throw("A zstd match points before the start of its data", at);
            RawBytes.CopyMatch(ref origin, position, (int)offset, (int)matchLength);
            position += (int)matchLength;

            if (--count == 0) break;
            literalsState = Unsafe.Add(ref literalsStates, literalsState.NextState + bits.Read(literalsState.StateBits));
            matchState = Unsafe.Add(ref matchStates, matchState.NextState + bits.Read(matchState.StateBits));
            offsetState = Unsafe.Add(ref offsetStates, offsetState.NextState + bits.Read(offsetState.StateBits));
        }
        if (!bits.IsExactlyRead) Corrupt.Throw("A zstd sequences section does not hold what it should", at);
        _repeats = repeats;
        output.AdvanceTo(position);
        return literals.Count - literalsLeft;
    }
}

/// <summary>What bounds one block's output.</summary>
/// <param name="HistoryStart">The first byte of the output that belongs to the frame.</param>
/// <param name="Window">The farthest back that a match may point, in bytes.</param>
/// <param name="End">The position that the block may not pass.</param>
internal readonly record struct BlockLimits(int HistoryStart, uint Window, int End);
