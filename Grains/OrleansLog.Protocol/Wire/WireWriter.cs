using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;

namespace OrleansLog.Protocol.Wire;

/// <summary>
/// Writes the Kafka wire format. Bytes go to a span of the output that is advanced over on <see cref="Flush"/>: call it
/// last, or the tail is lost. A value that the version cannot carry (a null where none may be, a string that is too
/// long) is misuse and throws <see cref="InvalidOperationException"/>.
/// </summary>
/// <remarks>
/// The <c>Write…</c> methods serve paths that are written by hand; the <see cref="ICodec"/> methods call them.
/// </remarks>
public ref partial struct WireWriter : ICodec
{
    private const int SpanBytesMin = 512;

    private IBufferWriter<byte> _output;
    private Span<byte> _span;
    private int _used;
    private long _flushed;

    // The tagged section that is being gathered, if one is (WireWriter.Tags.cs).
    private TaggedSection? _section;
    private OpenTag? _openTag;

    /// <param name="output">Where the bytes go. The caller must not write to it until this writer is flushed.</param>
    /// <param name="version">The version of the message.</param>
    /// <param name="isFlexible">Whether that version is flexible (<see cref="Apis.IsFlexible"/>).</param>
    public WireWriter(IBufferWriter<byte> output, short version = 0, bool isFlexible = false)
    {
        _output = output;
        Version = version;
        IsFlexible = isFlexible;
    }

    public short Version { get; private set; }

    public bool IsFlexible { get; private set; }

    /// <summary>Bytes written so far, flushed or not; the content of an open tagged field is not among them.</summary>
    public readonly long Position => _flushed + _used;

    /// <summary>Goes on in another version, as when the body follows the header.</summary>
    public void UseVersion(short version, bool isFlexible)
    {
        Version = version;
        IsFlexible = isFlexible;
    }

    /// <summary>Writes one message in this writer's version.</summary>
    public void Write<T>(T message) where T : class, IMessage => message.Describe(ref this);

    /// <summary>Hands everything written so far to the output.</summary>
    public void Flush()
    {
        if (_used > 0) _output.Advance(_used);
        _flushed += _used;
        _used = 0;
        _span = default;
    }

    public void WriteBoolean(bool value) => Reserve(1)[0] = value ? (byte)1 : (byte)0;
    public void WriteInt8(sbyte value) => Reserve(1)[0] = (byte)value;
    public void WriteInt16(short value) => BinaryPrimitives.WriteInt16BigEndian(Reserve(2), value);
    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(2), value);
    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32BigEndian(Reserve(4), value);
    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Reserve(4), value);
    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64BigEndian(Reserve(8), value);
    public void WriteFloat64(double value) => BinaryPrimitives.WriteDoubleBigEndian(Reserve(8), value);
    public void WriteUuid(Guid value) => value.TryWriteBytes(Reserve(16), bigEndian: true, out _);

    /// <summary>Base-128, low group first.</summary>
    public void WriteUnsignedVarint(uint value)
    {
        for (; value >= 0x80; value >>= 7) Reserve(1)[0] = (byte)(value | 0x80);
        Reserve(1)[0] = (byte)value;
    }

    public void WriteString(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        if (length > WireReader.StringBytesMax)
            throw new InvalidOperationException($"A string of {length} bytes is longer than {WireReader.StringBytesMax}.");
        if (IsFlexible) WriteUnsignedVarint((uint)length + 1);
        else WriteInt16((short)length);
        Encoding.UTF8.GetBytes(value, Reserve(length));
    }

    public void WriteNullableString(string? value)
    {
        if (value is not null) WriteString(value);
        else if (IsFlexible) WriteUnsignedVarint(0);
        else WriteInt16(-1);
    }

    /// <summary>A byte string with its length.</summary>
    public void WriteBytes(ReadOnlySpan<byte> value)
    {
        WriteBytesLength(value.Length);
        WriteRaw(value);
    }

    /// <summary>The length alone of a byte string whose bytes reach the output by another way (-1 says null).</summary>
    public void WriteBytesLength(int length) => WriteLength(length);

    /// <summary>The number of elements of an array that the caller goes on to write (-1 says null).</summary>
    public void WriteArrayCount(int count) => WriteLength(count);

    /// <summary>Bytes as they are, with no length.</summary>
    public void WriteRaw(ReadOnlySpan<byte> value)
    {
        if (value.Length <= _span.Length - _used || value.Length <= SpanBytesMin)
        {
            value.CopyTo(Reserve(value.Length));
            return;
        }
        Flush();
        _output.Write(value);
        _flushed += value.Length;
    }

    /// <summary>A tagged section with nothing in it. For flexible versions only.</summary>
    public void WriteEmptyTaggedFields() => WriteUnsignedVarint(0);

    private void WriteLength(int length)
    {
        if (IsFlexible) WriteUnsignedVarint((uint)(length + 1));
        else WriteInt32(length);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Span<byte> Reserve(int count)
    {
        if (count > _span.Length - _used) NextSpan(count);
        var reserved = _span.Slice(_used, count);
        _used += count;
        return reserved;
    }

    private void NextSpan(int count)
    {
        Flush();
        _span = _output.GetSpan(Math.Max(count, SpanBytesMin));
    }

    [DoesNotReturn]
    private readonly void ThrowNull(string field) =>
        throw new InvalidOperationException($"A null {field} cannot be written in version {Version}.");
}
