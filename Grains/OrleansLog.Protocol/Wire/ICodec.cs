namespace OrleansLog.Protocol.Wire;

/// <summary>
/// One direction of the Kafka wire format (https://kafka.apache.org/protocol): <see cref="WireReader"/> sets the fields
/// that it is handed, <see cref="WireWriter"/> writes them. Which encoding a string, array or byte field has (fixed
/// length prefix, or the compact one of flexible versions, KIP-482) follows from <see cref="IsFlexible"/> and never
/// shows in a message's description.
/// </summary>
public interface ICodec
{
    /// <summary>The version of the message being read or written.</summary>
    short Version { get; }

    /// <summary>Whether that version uses compact lengths and tagged fields.</summary>
    bool IsFlexible { get; }

    void Boolean(ref bool value);
    void Int8(ref sbyte value);
    void Int16(ref short value);
    void UInt16(ref ushort value);
    void Int32(ref int value);
    void UInt32(ref uint value);
    void Int64(ref long value);
    void Float64(ref double value);
    void Uuid(ref Guid value);
    void Error(ref ErrorCode value);

    void String(ref string value);
    void NullableString(ref string? value);

    /// <summary>A byte string. A reader hands out a slice of the buffer it reads: copy it to keep it longer.</summary>
    void Bytes(ref ReadOnlyMemory<byte> value);

    /// <summary>A byte string that may be null. A reader hands out a slice of the buffer it reads.</summary>
    void NullableBytes(ref ReadOnlyMemory<byte>? value);

    void Int8Array(ref List<sbyte> values);
    void Int16Array(ref List<short> values);
    void Int32Array(ref List<int> values);
    void NullableInt32Array(ref List<int>? values);
    void Int64Array(ref List<long> values);
    void UuidArray(ref List<Guid> values);
    void StringArray(ref List<string> values);
    void NullableStringArray(ref List<string>? values);

    void Structure<T>(ref T value) where T : IMessage, new();
    void Array<T>(ref List<T> values) where T : IMessage, new();
    void NullableArray<T>(ref List<T>? values) where T : IMessage, new();

    /// <summary>
    /// Declares a field of the tagged section (KIP-482), before <see cref="EndOfStructure"/> and in ascending tag
    /// order. It is written when <paramref name="present"/> says so, and <paramref name="present"/> is set when it was
    /// read. No-op in versions that are not flexible.
    /// </summary>
    void Tagged<T>(int tag, ref bool present, ref T value) where T : IMessage, new();

    /// <summary>Ends a structure: in flexible versions the tagged section stands here; unknown tags are skipped.</summary>
    void EndOfStructure();
}
