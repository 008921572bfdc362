namespace OrleansLog.Protocol.Wire;

/// <summary>
/// One direction of the Kafka wire format (https://kafka.apache.org/protocol): <see cref="WireReader"/> sets the fields
/// that it is handed, <see cref="WireWriter"/> writes them. Which encoding a string, array or byte field has (fixed
/// length prefix, or the compact one of flexible versions, KIP-482) follows from <see cref="IsFlexible"/> and never
/// shows in a message's description. Where a field may be null in later versions only, <c>nullable</c> says whether it
/// may be in this one: a reader refuses a null that may not be, and so does a writer.
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
    void NullableString(ref string? value, bool nullable = true);

    /// <summary>A byte string. A reader hands out a slice of the buffer it reads: copy it to keep it longer.</summary>
    void Bytes(ref ReadOnlyMemory<byte> value);

    /// <summary>A byte string that may be null. A reader hands out a slice of the buffer it reads.</summary>
    void NullableBytes(ref ReadOnlyMemory<byte>? value, bool nullable = true);

    void Int8Array(ref List<sbyte> values);
    void Int32Array(ref List<int> values);
    void NullableInt32Array(ref List<int>? values, bool nullable = true);
    void StringArray(ref List<string> values);
    void NullableStringArray(ref List<string>? values, bool nullable = true);

    void Structure<T>(ref T value) where T : class, IMessage, new();
    void NullableStructure<T>(ref T? value) where T : class, IMessage, new();
    void Array<T>(ref List<T> values) where T : class, IMessage, new();
    void NullableArray<T>(ref List<T>? values, bool nullable = true) where T : class, IMessage, new();

    /// <summary>
    /// Opens a field of the tagged section (KIP-482), after all plain fields, in ascending tag order. When it returns
    /// true the caller hands over the one field and calls <see cref="EndTag"/>. A writer answers
    /// <paramref name="present"/>, a reader whether the tag is there. Always false in versions that are not flexible.
    /// Descriptions use the shorter forms of <see cref="TaggedFields"/>.
    /// </summary>
    bool BeginTag(int tag, bool present);

    /// <summary>Closes what a <see cref="BeginTag"/> that returned true has opened.</summary>
    void EndTag();

    /// <summary>Ends a structure; in flexible versions the tagged section stands here, unknown tags are skipped.</summary>
    void EndOfStructure();
}
