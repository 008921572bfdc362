using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Serializers;
using Orleans.Serialization.WireProtocol;

namespace OrleansLog.Grains;

/// <summary>
/// Bytes on their way through a grain call: record batches, or a whole request. They are written once from where they lie and
/// read once into an array of their own; within a silo they are not copied at all. Whoever passes a payload on must not
/// change the bytes until the call is answered, and not even then if no answer came: a message may still be on its way.
/// </summary>
/// <remarks>Orleans takes <see cref="ReadOnlyMemory{T}"/> for a collection and handles it element by element.</remarks>
[Immutable]
public readonly struct Payload(ReadOnlyMemory<byte> bytes)
{
    private readonly byte[]? _rented;

    internal Payload(byte[] rented, int length) : this(rented.AsMemory(0, length)) => _rented = rented;

    public ReadOnlyMemory<byte> Bytes => bytes;

    public int Length => bytes.Length;

    public bool IsEmpty => bytes.IsEmpty;

    /// <summary>
    /// Gives the memory back that it was received into, for whoever has received it and keeps nothing of it: once, and only
    /// then. What is not given back is left to the garbage collector.
    /// </summary>
    public void Release()
    {
        if (_rented is not null) ArrayPool<byte>.Shared.Return(_rented);
    }

    /// <summary>Hands the received memory over to somebody who gives it back to the shared pool; false if it is not from there.</summary>
    public bool TryTakeRented([NotNullWhen(true)] out byte[]? rented) => (rented = _rented) is not null;

    public static implicit operator Payload(ReadOnlyMemory<byte> bytes) => new(bytes);

    public static implicit operator Payload(byte[] bytes) => new(bytes);
}

/// <summary>Writes a payload as one run of bytes behind its length.</summary>
[RegisterSerializer]
public sealed class PayloadCodec : IFieldCodec<Payload>
{
    public void WriteField<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, Payload value)
        where TBufferWriter : IBufferWriter<byte>
    {
        ReferenceCodec.MarkValueField(writer.Session);
        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(Payload), WireType.LengthPrefixed);
        writer.WriteVarUInt32((uint)value.Length);
        writer.Write(value.Bytes.Span);
    }

    public Payload ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        ReferenceCodec.MarkValueField(reader.Session);
        field.EnsureWireType(WireType.LengthPrefixed);
        var length = reader.ReadVarUInt32();
        if (length == 0) return default;
        // From the pool: arrays as large as record batches would else make every collection a full one.
        var bytes = ArrayPool<byte>.Shared.Rent(checked((int)length));
        reader.ReadBytes(bytes.AsSpan(0, (int)length));
        return new(bytes, (int)length);
    }
}

/// <summary>A payload is not changed while it travels, so a call within a silo gets the very same bytes.</summary>
[RegisterCopier]
public sealed class PayloadCopier : IDeepCopier<Payload>, IOptionalDeepCopier
{
    public bool IsShallowCopyable() => true;

    public Payload DeepCopy(Payload input, CopyContext context) => input;
}
