namespace OrleansLog.Protocol.Wire;

/// <summary>What descriptions call: each method writes the field that it is handed and leaves it as it is.</summary>
public ref partial struct WireWriter
{
    public void Boolean(ref bool value) => WriteBoolean(value);
    public void Int8(ref sbyte value) => WriteInt8(value);
    public void Int16(ref short value) => WriteInt16(value);
    public void UInt16(ref ushort value) => WriteUInt16(value);
    public void Int32(ref int value) => WriteInt32(value);
    public void UInt32(ref uint value) => WriteUInt32(value);
    public void Int64(ref long value) => WriteInt64(value);
    public void Float64(ref double value) => WriteFloat64(value);
    public void Uuid(ref Guid value) => WriteUuid(value);
    public void Error(ref ErrorCode value) => WriteInt16((short)value);

    public void String(ref string value) => WriteString(value);

    public void NullableString(ref string? value, bool nullable)
    {
        if (value is null && !nullable) ThrowNull("string");
        WriteNullableString(value);
    }

    public void Bytes(ref ReadOnlyMemory<byte> value) => WriteBytes(value.Span);

    public void NullableBytes(ref ReadOnlyMemory<byte>? value, bool nullable)
    {
        if (value is null && !nullable) ThrowNull("byte string");
        if (value is null) WriteBytesLength(-1);
        else WriteBytes(value.Value.Span);
    }

    public void Int8Array(ref List<sbyte> values)
    {
        WriteArrayCount(values.Count);
        foreach (var value in values) WriteInt8(value);
    }

    public void Int32Array(ref List<int> values)
    {
        WriteArrayCount(values.Count);
        foreach (var value in values) WriteInt32(value);
    }

    public void NullableInt32Array(ref List<int>? values, bool nullable)
    {
        if (WriteNull(values is null, nullable)) return;
        Int32Array(ref values!);
    }

    public void StringArray(ref List<string> values)
    {
        WriteArrayCount(values.Count);
        foreach (var value in values) WriteString(value);
    }

    public void NullableStringArray(ref List<string>? values, bool nullable)
    {
        if (WriteNull(values is null, nullable)) return;
        StringArray(ref values!);
    }

    public void Structure<T>(ref T value) where T : class, IMessage, new() => value.Describe(ref this);

    /// <summary>A structure that may be null: one byte before it says 1, or -1 for null.</summary>
    public void NullableStructure<T>(ref T? value) where T : class, IMessage, new()
    {
        WriteInt8(value is null ? (sbyte)-1 : (sbyte)1);
        value?.Describe(ref this);
    }

    public void Array<T>(ref List<T> values) where T : class, IMessage, new()
    {
        WriteArrayCount(values.Count);
        foreach (var value in values) value.Describe(ref this);
    }

    public void NullableArray<T>(ref List<T>? values, bool nullable) where T : class, IMessage, new()
    {
        if (WriteNull(values is null, nullable)) return;
        Array(ref values!);
    }

    private bool WriteNull(bool isNull, bool nullable)
    {
        if (!isNull) return false;
        if (!nullable) ThrowNull("array");
        WriteArrayCount(-1);
        return true;
    }
}
