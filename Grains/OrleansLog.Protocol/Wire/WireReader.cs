using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace OrleansLog.Protocol.Wire;

/// <summary>
/// Reads the Kafka wire format from one frame. Safe against hostile input: nothing is believed before it is checked
/// against the bytes that remain, and whatever does not fit is a <see cref="MalformedMessageException"/>. Layouts do
/// not recurse, so neither does reading. Byte fields are slices of the frame and live as long as its buffer.
/// </summary>
/// <remarks>
/// The <c>Read…</c> methods serve paths that are parsed by hand; the <see cref="ICodec"/> methods call them.
/// </remarks>
public ref partial struct WireReader : ICodec
{
    /// <summary>The longest string, in UTF-8 bytes (Kafka's short length).</summary>
    public const int StringBytesMax = short.MaxValue;

    /// <summary>The most array elements of one message, all its arrays together: bounds what it can allocate.</summary>
    public const int ElementsMax = 4 * 1024 * 1024;

    private readonly ReadOnlyMemory<byte> _frame;
    private readonly ReadOnlySpan<byte> _bytes;
    private int _position;
    private int _elements;

    // The tagged section that is being read, if one is (WireReader.Tags.cs).
    private int _tagsLeft;
    private uint _nextTag;
    private OpenTag? _openTag;

    /// <param name="frame">What to read. The reader keeps it and slices it.</param>
    /// <param name="version">The version of the message.</param>
    /// <param name="isFlexible">Whether that version is flexible (<see cref="Apis.IsFlexible"/>).</param>
    public WireReader(ReadOnlyMemory<byte> frame, short version = 0, bool isFlexible = false)
    {
        _frame = frame;
        _bytes = frame.Span;
        _tagsLeft = SectionNotOpen;
        Version = version;
        IsFlexible = isFlexible;
    }

    public short Version { get; private set; }

    public bool IsFlexible { get; private set; }

    /// <summary>Bytes read so far.</summary>
    public readonly int Position => _position;

    /// <summary>Bytes not yet read.</summary>
    public readonly int Remaining => _bytes.Length - _position;

    /// <summary>Goes on in another version, as when the body follows the header.</summary>
    public void UseVersion(short version, bool isFlexible)
    {
        Version = version;
        IsFlexible = isFlexible;
    }

    /// <summary>Reads one message of this reader's version.</summary>
    public T Read<T>() where T : class, IMessage, new()
    {
        var message = new T();
        message.Describe(ref this);
        return message;
    }

    public bool ReadBoolean() => Take(1, "boolean")[0] != 0;
    public sbyte ReadInt8() => (sbyte)Take(1, "int8")[0];
    public short ReadInt16() => BinaryPrimitives.ReadInt16BigEndian(Take(2, "int16"));
    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2, "uint16"));
    public int ReadInt32() => BinaryPrimitives.ReadInt32BigEndian(Take(4, "int32"));
    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4, "uint32"));
    public long ReadInt64() => BinaryPrimitives.ReadInt64BigEndian(Take(8, "int64"));
    public double ReadFloat64() => BinaryPrimitives.ReadDoubleBigEndian(Take(8, "float64"));
    public Guid ReadUuid() => new(Take(16, "uuid"), bigEndian: true);

    /// <summary>Base-128, low group first, at most five bytes.</summary>
    public uint ReadUnsignedVarint()
    {
        var start = _position;
        uint value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var group = Take(1, "varint")[0];
            if (shift == 28 && group > 0x0F) break;
            value |= (group & 0x7Fu) << shift;
            if (group < 0x80) return value;
        }
        throw new MalformedMessageException("varint", start, "longer than 32 bits");
    }

    public string ReadString() => ReadNullableString() ?? throw Null("string");

    public string? ReadNullableString()
    {
        var length = IsFlexible ? ReadCompactLength("string") : ReadInt16();
        return length < 0 ? null : Encoding.UTF8.GetString(Take(Check(length, StringBytesMax, "string"), "string"));
    }

    /// <summary>A string as the bytes of its UTF-8 form in the frame, for those who look it up rather than keep it.</summary>
    public ReadOnlySpan<byte> ReadUtf8()
    {
        var length = IsFlexible ? ReadCompactLength("string") : ReadInt16();
        return length < 0 ? throw Null("string") : Take(Check(length, StringBytesMax, "string"), "string");
    }

    /// <summary>A byte string, as a slice of the frame.</summary>
    public ReadOnlyMemory<byte> ReadBytes() => ReadNullableBytes() ?? throw Null("bytes");

    /// <summary>A byte string, as a slice of the frame, or null.</summary>
    public ReadOnlyMemory<byte>? ReadNullableBytes()
    {
        var length = IsFlexible ? ReadCompactLength("bytes") : ReadInt32();
        if (length < 0) return null;
        var start = _position;
        Take(length, "bytes");
        return _frame.Slice(start, length);
    }

    /// <summary>The element count of an array that may not be null, never more than the bytes that remain.</summary>
    public int ReadArrayCount()
    {
        var count = ReadNullableArrayCount();
        return count >= 0 ? count : throw Null("array");
    }

    /// <summary>The element count of an array, never more than the bytes that remain; -1 for a null array.</summary>
    public int ReadNullableArrayCount()
    {
        var count = IsFlexible ? ReadCompactLength("array") : ReadInt32();
        if (count < 0) return -1;
        if (Check(count, Remaining, "array") > ElementsMax - _elements)
            throw new MalformedMessageException("array", _position, $"more than {ElementsMax} elements in one message");
        _elements += count;
        return count;
    }

    /// <summary>Passes over bytes.</summary>
    public void Skip(int count) => Take(count, "skipped bytes");

    /// <summary>Passes over a tagged section whose fields do not matter, in versions that have one.</summary>
    public void SkipTaggedFields() => EndOfStructure();

    /// <summary>A compact length: one more than the length itself, so that 0 says null, here -1.</summary>
    private int ReadCompactLength(string field)
    {
        var lengthPlusOne = ReadUnsignedVarint();
        return lengthPlusOne <= int.MaxValue
            ? (int)lengthPlusOne - 1
            : throw new MalformedMessageException(field, _position, $"length {lengthPlusOne - 1L} is out of range");
    }

    private readonly int Check(int count, int max, string field) => count <= max
        ? count
        : throw new MalformedMessageException(field, _position, $"{count} is more than the {max} that can be here");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ReadOnlySpan<byte> Take(int count, string field)
    {
        if ((uint)count > (uint)(_bytes.Length - _position)) ThrowTooShort(count, field);
        var taken = _bytes.Slice(_position, count);
        _position += count;
        return taken;
    }

    private readonly void ThrowTooShort(int count, string field) =>
        throw new MalformedMessageException(field, _position, $"needs {count} bytes, {Remaining} remain");

    private readonly MalformedMessageException Null(string field) => new(field, _position, "null where none may be");
}
