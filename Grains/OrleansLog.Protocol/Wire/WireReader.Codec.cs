namespace OrleansLog.Protocol.Wire;

/// <summary>What descriptions call: each method sets the field that it is handed.</summary>
public ref partial struct WireReader
{
    /// <summary>Lists start no larger than this, whatever a count claims; elements that are there make them grow.</summary>
    private const int StartCapacityMax = 1024;

    public void Boolean(ref bool value) => value = ReadBoolean();
    public void Int8(ref sbyte value) => value = ReadInt8();
    public void Int16(ref short value) => value = ReadInt16();
    public void UInt16(ref ushort value) => value = ReadUInt16();
    public void Int32(ref int value) => value = ReadInt32();
    public void UInt32(ref uint value) => value = ReadUInt32();
    public void Int64(ref long value) => value = ReadInt64();
    public void Float64(ref double value) => value = ReadFloat64();
    public void Uuid(ref Guid value) => value = ReadUuid();
    public void Error(ref ErrorCode value) => value = (ErrorCode)ReadInt16();

    public void String(ref string value) => value = ReadString();
    public void NullableString(ref string? value, bool nullable) =>
        value = nullable ? ReadNullableString() : ReadString();

    public void Bytes(ref ReadOnlyMemory<byte> value) => value = ReadBytes();
    public void NullableBytes(ref ReadOnlyMemory<byte>? value, bool nullable) =>
        value = nullable ? ReadNullableBytes() : ReadBytes();

    public void Int8Array(ref List<sbyte> values)
    {
        var count = Start(ref values);
        for (var i = 0; i < count; i++) values.Add(ReadInt8());
    }

    public void Int32Array(ref List<int> values)
    {
        var count = Start(ref values);
        for (var i = 0; i < count; i++) values.Add(ReadInt32());
    }

    public void NullableInt32Array(ref List<int>? values, bool nullable)
    {
        var count = StartNullable(ref values, nullable);
        for (var i = 0; i < count; i++) values!.Add(ReadInt32());
    }

    public void StringArray(ref List<string> values)
    {
        var count = Start(ref values);
        for (var i = 0; i < count; i++) values.Add(ReadString());
    }

    public void NullableStringArray(ref List<string>? values, bool nullable)
    {
        var count = StartNullable(ref values, nullable);
        for (var i = 0; i < count; i++) values!.Add(ReadString());
    }

    public void Structure<T>(ref T value) where T : class, IMessage, new() => value.Describe(ref this);

    /// <summary>A structure that may be null: one byte before it says 1, or -1 for null.</summary>
    public void NullableStructure<T>(ref T? value) where T : class, IMessage, new() =>
        value = ReadInt8() < 0 ? null : Read<T>();

    public void Array<T>(ref List<T> values) where T : class, IMessage, new()
    {
        var count = Start(ref values);
        for (var i = 0; i < count; i++) values.Add(Read<T>());
    }

    public void NullableArray<T>(ref List<T>? values, bool nullable) where T : class, IMessage, new()
    {
        var count = StartNullable(ref values, nullable);
        for (var i = 0; i < count; i++) values!.Add(Read<T>());
    }

    private int Start<T>(ref List<T> values)
    {
        var count = ReadArrayCount();
        values.Clear();
        values.EnsureCapacity(Math.Min(count, StartCapacityMax));
        return count;
    }

    private int StartNullable<T>(ref List<T>? values, bool nullable)
    {
        var count = nullable ? ReadNullableArrayCount() : ReadArrayCount();
        values = count < 0 ? null : new List<T>(Math.Min(count, StartCapacityMax));
        return count;
    }
}
