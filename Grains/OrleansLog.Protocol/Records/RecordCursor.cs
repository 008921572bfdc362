using System.Diagnostics.CodeAnalysis;

namespace OrleansLog.Protocol.Records;

/// <summary>A position in bytes that are not to be trusted: each read checks what is left first.</summary>
internal ref struct RecordCursor(ReadOnlySpan<byte> source, int position)
{
    private readonly ReadOnlySpan<byte> _source = source;

    public int Position { get; private set; } = position;

    public readonly int Remaining => _source.Length - Position;

    public byte ReadByte() => Take(1)[0];

    public int ReadVarint()
    {
        if (Position < _source.Length && _source[Position] < 0x80)
        {
            return Varint.UnZigZag((uint)_source[Position++]);
        }
        var length = Varint.TryRead(_source[Position..], out int value);
        return length > 0 ? Skip(length, value) : throw Corrupt("A record holds a malformed number");
    }

    public long ReadVarlong()
    {
        var length = Varint.TryRead(_source[Position..], out long value);
        return length > 0 ? Skip(length, value) : throw Corrupt("A record holds a malformed number");
    }

    /// <summary>Reads a length and as many bytes; a length of -1 stands for null.</summary>
    public ReadOnlySpan<byte> ReadBytes(out bool isNull)
    {
        var length = ReadVarint();
        isNull = length == -1;
        return isNull ? [] : Take(length);
    }

    public ReadOnlySpan<byte> Take(int length)
    {
        if ((uint)length > (uint)Remaining)
        {
            ThrowBadLength(length);
        }
        var taken = _source.Slice(Position, length);
        Position += length;
        return taken;
    }

    public readonly CorruptRecordException Corrupt(string problem) => new(problem, Position);

    private T Skip<T>(int length, T value)
    {
        Position += length;
        return value;
    }

    [DoesNotReturn]
    private readonly void ThrowBadLength(int length) =>
        throw Corrupt($"A length of {length} bytes where {Remaining} are left");
}
