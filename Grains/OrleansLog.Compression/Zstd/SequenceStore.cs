using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OrleansLog.Compression.Buffers;

namespace OrleansLog.Compression.Zstd;

/// <summary>Some literals, then a match: the unit of a zstd block (RFC 8878, section 3.1.1.3.2).</summary>
internal readonly record struct Sequence(int LiteralsLength, int MatchLength, uint OffsetValue);

/// <summary>What the match finder found in one block: its literals, its sequences, and the offsets to repeat. Reusable.</summary>
internal sealed class SequenceStore
{
    /// <summary>Shorter matches are not stored, which bounds the number of sequences.</summary>
    public const int MatchLengthMin = 4;

    private const int Step = 16;

    private readonly byte[] _literals = new byte[ZstdFormat.BlockSizeMax + DecodedBuffer.Slack];
    private readonly Sequence[] _sequences = new Sequence[ZstdFormat.BlockSizeMax / MatchLengthMin];
    private int _literalsCount;
    private int _count;

    /// <summary>The offsets that the frame's decoder would remember now.</summary>
    public RepeatOffsets Repeats = new();

    public ReadOnlySpan<byte> Literals => _literals.AsSpan(0, _literalsCount);

    public ReadOnlySpan<Sequence> Sequences => _sequences.AsSpan(0, _count);

    public void StartFrame() => Repeats = new();

    public void StartBlock()
    {
        _literalsCount = 0;
        _count = 0;
    }

    /// <summary>Adds a match and the literals before it, which are <paramref name="source"/> from <paramref name="anchor"/> to <paramref name="position"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ReadOnlySpan<byte> source, int anchor, int position, int offset, int length)
    {
        var literals = position - anchor;
        AddLiterals(source, anchor, literals);
        _sequences[_count++] = new(literals, length, Repeats.Encode((uint)offset, literals));
    }

    /// <summary>Adds literals; those at the end of a block belong to no sequence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddLiterals(ReadOnlySpan<byte> source, int anchor, int count)
    {
        if (count <= Step && anchor <= source.Length - Step)
            RawBytes.Copy16(
                ref Unsafe.Add(ref MemoryMarshal.GetReference(source), anchor),
                ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_literals), _literalsCount));
        else
            source.Slice(anchor, count).CopyTo(_literals.AsSpan(_literalsCount));
        _literalsCount += count;
    }
}
