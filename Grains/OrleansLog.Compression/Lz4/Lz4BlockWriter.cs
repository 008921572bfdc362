using System.Buffers.Binary;
using OrleansLog.Compression.Buffers;

namespace OrleansLog.Compression.Lz4;

/// <summary>Writes the sequences of one LZ4 block (LZ4 block format description, "Compressed block format").</summary>
internal ref struct Lz4BlockWriter(Span<byte> destination) : IMatchSink
{
    private const int MatchLengthMin = 4;
    private const int NibbleMax = 15;

    private readonly Span<byte> _destination = destination;

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    public bool TryAdd(ReadOnlySpan<byte> literals, int offset, int length)
    {
        var matchCode = length - MatchLengthMin;
        if (!TryAddLiterals(literals, Math.Min(matchCode, NibbleMax), sizeof(ushort) + 1 + matchCode / 255)) return false;
        BinaryPrimitives.WriteUInt16LittleEndian(_destination[Length..], (ushort)offset);
        Length += sizeof(ushort);
        if (matchCode >= NibbleMax) AddLength(matchCode - NibbleMax);
        return true;
    }

    /// <summary>The literals that end every block.</summary>
    public bool TryAddLast(ReadOnlySpan<byte> literals) => TryAddLiterals(literals, 0, 0);

    private bool TryAddLiterals(ReadOnlySpan<byte> literals, int matchNibble, int roomAfter)
    {
        var count = literals.Length;
        if (Length + 2 + count / 255 + count + roomAfter > _destination.Length) return false;
        _destination[Length++] = (byte)((Math.Min(count, NibbleMax) << 4) | matchNibble);
        if (count >= NibbleMax) AddLength(count - NibbleMax);
        literals.CopyTo(_destination[Length..]);
        Length += count;
        return true;
    }

    private void AddLength(int rest)
    {
        for (; rest >= 255; rest -= 255) _destination[Length++] = 255;
        _destination[Length++] = (byte)rest;
    }
}
