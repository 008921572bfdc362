using System.Buffers.Binary;
using OrleansLog.Compression.Buffers;

namespace OrleansLog.Compression.Snappy;

/// <summary>Writes the elements of one snappy block (Snappy compressed format description, section 2).</summary>
internal ref struct SnappyBlockWriter(Span<byte> destination) : IMatchSink
{
    private const int LiteralTag = 0, ShortCopyTag = 1, CopyTag = 2;
    private const int CopyLengthMax = 64, ShortCopyLengthMin = 4, ShortCopyLengthMax = 11, ShortCopyOffsetEnd = 2048;

    private readonly Span<byte> _destination = destination;

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>The most bytes that a block of <paramref name="length"/> bytes can become.</summary>
    public static int SizeMax(int length) => 32 + length + length / 6;

    /// <summary>The block's length once decoded, which opens it, seven bits at a time.</summary>
    public void AddPreamble(int length)
    {
        for (; length >= 0x80; length >>= 7) _destination[Length++] = (byte)(length | 0x80);
        _destination[Length++] = (byte)length;
    }

    public bool TryAdd(ReadOnlySpan<byte> literals, int offset, int length)
    {
        AddLiterals(literals);
        // No piece may be left with less than the four bytes that a short copy holds.
        for (; length >= CopyLengthMax + ShortCopyLengthMin; length -= CopyLengthMax) AddCopy(offset, CopyLengthMax);
        if (length > CopyLengthMax)
        {
            AddCopy(offset, CopyLengthMax - ShortCopyLengthMin);
            length -= CopyLengthMax - ShortCopyLengthMin;
        }
        if (length <= ShortCopyLengthMax && offset < ShortCopyOffsetEnd) AddShortCopy(offset, length);
        else AddCopy(offset, length);
        return true;
    }

    public void AddLiterals(ReadOnlySpan<byte> literals)
    {
        if (literals.IsEmpty) return;
        var last = literals.Length - 1;
        if (last < 60) _destination[Length++] = (byte)(LiteralTag | (last << 2));
        else AddLongLiteralTag(last);
        literals.CopyTo(_destination[Length..]);
        Length += literals.Length;
    }

    private void AddLongLiteralTag(int last)
    {
        var lengthBytes = last <= byte.MaxValue ? 1 : 2;
        _destination[Length++] = (byte)(LiteralTag | ((59 + lengthBytes) << 2));
        _destination[Length++] = (byte)last;
        if (lengthBytes == 2) _destination[Length++] = (byte)(last >> 8);
    }

    private void AddShortCopy(int offset, int length)
    {
        _destination[Length++] = (byte)(ShortCopyTag | ((length - ShortCopyLengthMin) << 2) | ((offset >> 8) << 5));
        _destination[Length++] = (byte)offset;
    }

    private void AddCopy(int offset, int length)
    {
        _destination[Length++] = (byte)(CopyTag | ((length - 1) << 2));
        BinaryPrimitives.WriteUInt16LittleEndian(_destination[Length..], (ushort)offset);
        Length += sizeof(ushort);
    }
}
