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
/// <remarks>
/// Orleans takes <see cref="ReadOnlyMemory{T}"/> for a collection and handles it element by element. Arrays as large as record
/// batches make every collection a full one, so those that a payload is received into come from the shared pool.
/// </remarks>
[Immutable]
public readonly struct Payload(ReadOnlyMemory<byte> bytes)
{
    private readonly RentedBytes? _rented;

    private Payload(byte[] rented, int length) : this(rented.AsMemory(0, length)) => _rented = new(rented);

    public ReadOnlyMemory<byte> Bytes => bytes;

    public int Length => bytes.Length;

    public bool IsEmpty => bytes.IsEmpty;

    /// <summary>A payload in an array of the shared pool, which goes back to it when the payload has been written, or by its reader.</summary>
    public static Payload OfRented(byte[] rented, int length) => new(rented, length);

    /// <summary>Gives the memory back if it is rented, for who has read the payload and keeps nothing of it. Does so once.</summary>
    public void Release()
    {
        if (TryTakeRented(out var rented)) ArrayPool<byte>.Shared.Return(rented);
    }

    /// <summary>Takes over the memory, to give it back later; false if it is not rented, or somebody else's already.</summary>
    public bool TryTakeRented([NotNullWhen(true)] out byte[]? rented)
    {
        rented = _rented?.Take();
        return rented is not null;
    }

    public static implicit operator Payload(ReadOnlyMemory<byte> bytes) => new(bytes);

    public static implicit operator Payload(byte[] bytes) => new(bytes);

    /// <summary>Writes the bytes and lets go of them.</summary>
    /// <exception cref="InvalidOperationException">
    /// They were written before, and the connection broke over it. What they answered has failed with that connection.
    /// </exception>
    internal void WriteTo<TBufferWriter>(ref Writer<TBufferWriter> writer) where TBufferWriter : IBufferWriter<byte>
    {
        if (_rented is null)
        {
            writer.Write(bytes.Span);
            return;
        }
        if (!TryTakeRented(out var rented)) throw new InvalidOperationException("These bytes have been sent already.");
        writer.Write(bytes.Span);
        ArrayPool<byte>.Shared.Return(rented);
    }

    private sealed class RentedBytes(byte[] array)
    {
        private byte[]? _array = array;

        public byte[]? Take() => Interlocked.Exchange(ref _array, null);
    }
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
        value.WriteTo(ref writer);
    }

    public Payload ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        ReferenceCodec.MarkValueField(reader.Session);
        field.EnsureWireType(WireType.LengthPrefixed);
        var length = reader.ReadVarUInt32();
        if (length == 0) return default;
        var bytes = ArrayPool<byte>.Shared.Rent(checked((int)length));
        reader.ReadBytes(bytes.AsSpan(0, (int)length));
        return Payload.OfRented(bytes, (int)length);
    }
}

/// <summary>A payload is not changed while it travels, so a call within a silo gets the very same bytes.</summary>
[RegisterCopier]
public sealed class PayloadCopier : IDeepCopier<Payload>, IOptionalDeepCopier
{
    public bool IsShallowCopyable() => true;

    public Payload DeepCopy(Payload input, CopyContext context) => input;
}
