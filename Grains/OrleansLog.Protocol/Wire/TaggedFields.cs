namespace OrleansLog.Protocol.Wire;

/// <summary>
/// Tagged fields (KIP-482) by their type. A field that holds its default is left off the wire, as Kafka does: null for
/// structures and strings, no elements for arrays, false, no error, a zero id, and <c>absent</c> for numbers.
/// </summary>
public static class TaggedFields
{
    public static void Tagged<TCodec, T>(this ref TCodec codec, int tag, ref T? value)
        where TCodec : struct, ICodec, allows ref struct
        where T : class, IMessage, new()
    {
        if (!codec.BeginTag(tag, value is not null)) return;
        value ??= new T();
        codec.Structure(ref value);
        codec.EndTag();
    }

    public static void TaggedArray<TCodec, T>(this ref TCodec codec, int tag, ref List<T> values)
        where TCodec : struct, ICodec, allows ref struct
        where T : class, IMessage, new()
    {
        if (!codec.BeginTag(tag, values.Count > 0)) return;
        codec.Array(ref values);
        codec.EndTag();
    }

    public static void TaggedNullableString<TCodec>(this ref TCodec codec, int tag, ref string? value)
        where TCodec : struct, ICodec, allows ref struct
    {
        if (!codec.BeginTag(tag, value is not null)) return;
        codec.NullableString(ref value);
        codec.EndTag();
    }

    public static void TaggedBoolean<TCodec>(this ref TCodec codec, int tag, ref bool value)
        where TCodec : struct, ICodec, allows ref struct
    {
        if (!codec.BeginTag(tag, value)) return;
        codec.Boolean(ref value);
        codec.EndTag();
    }

    public static void TaggedError<TCodec>(this ref TCodec codec, int tag, ref ErrorCode value)
        where TCodec : struct, ICodec, allows ref struct
    {
        if (!codec.BeginTag(tag, value != ErrorCode.None)) return;
        codec.Error(ref value);
        codec.EndTag();
    }

    public static void TaggedInt64<TCodec>(this ref TCodec codec, int tag, ref long value, long absent)
        where TCodec : struct, ICodec, allows ref struct
    {
        if (!codec.BeginTag(tag, value != absent)) return;
        codec.Int64(ref value);
        codec.EndTag();
    }

    public static void TaggedInt16<TCodec>(this ref TCodec codec, int tag, ref short value, short absent)
        where TCodec : struct, ICodec, allows ref struct
    {
        if (!codec.BeginTag(tag, value != absent)) return;
        codec.Int16(ref value);
        codec.EndTag();
    }

    public static void TaggedUuid<TCodec>(this ref TCodec codec, int tag, ref Guid value)
        where TCodec : struct, ICodec, allows ref struct
    {
        if (!codec.BeginTag(tag, value != Guid.Empty)) return;
        codec.Uuid(ref value);
        codec.EndTag();
    }
}
