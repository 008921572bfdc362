using System.Text;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Protocol.Wire;

/// <summary>
/// A codec that reads from nowhere: it fills whatever a message describes for its version with random values, the same
/// for the same seed. Nulls, empty arrays, long strings and left out tags all occur.
/// </summary>
internal readonly struct RandomFiller(short version, bool isFlexible, int seed) : ICodec
{
    private readonly Random _random = new(seed);

    public short Version => version;

    public bool IsFlexible => isFlexible;

    public static void Fill(IMessage message, ApiVersionRange api, short version, int seed)
    {
        var filler = new RandomFiller(version, api.IsFlexible(version), seed);
        message.Describe(ref filler);
    }

    public void Boolean(ref bool value) => value = OneIn(2);
    public void Int8(ref sbyte value) => value = (sbyte)_random.Next(sbyte.MinValue, sbyte.MaxValue + 1);
    public void Int16(ref short value) => value = (short)_random.Next(short.MinValue, short.MaxValue + 1);
    public void UInt16(ref ushort value) => value = (ushort)_random.Next(ushort.MaxValue + 1);
    public void Int32(ref int value) => value = (int)_random.NextInt64(int.MinValue, int.MaxValue + 1L);
    public void UInt32(ref uint value) => value = (uint)_random.NextInt64(uint.MaxValue + 1L);
    public void Int64(ref long value) => value = _random.NextInt64(long.MinValue, long.MaxValue);
    public void Float64(ref double value) => value = _random.NextDouble();
    public void Uuid(ref Guid value) => value = new Guid(RandomBytes(16));
    public void Error(ref ErrorCode value) => value = (ErrorCode)_random.Next(-1, 120);

    public void String(ref string value) => value = RandomString();
    public void NullableString(ref string? value, bool nullable) => value = IsNull(nullable) ? null : RandomString();
    public void Bytes(ref ReadOnlyMemory<byte> value) => value = RandomBytes(_random.Next(40));
    public void NullableBytes(ref ReadOnlyMemory<byte>? value, bool nullable) =>
        value = IsNull(nullable) ? null : RandomBytes(_random.Next(40));

    public void Int8Array(ref List<sbyte> values) => values = RandomList(static filler => Of<sbyte>(filler.Int8));
    public void Int32Array(ref List<int> values) => values = RandomList(static filler => Of<int>(filler.Int32));
    public void NullableInt32Array(ref List<int>? values, bool nullable) =>
        values = IsNull(nullable) ? null : RandomList(static filler => Of<int>(filler.Int32));
    public void StringArray(ref List<string> values) => values = RandomList(static filler => filler.RandomString());
    public void NullableStringArray(ref List<string>? values, bool nullable) =>
        values = IsNull(nullable) ? null : RandomList(static filler => filler.RandomString());

    public void Structure<T>(ref T value) where T : class, IMessage, new() => value = RandomStructure<T>();
    public void NullableStructure<T>(ref T? value) where T : class, IMessage, new() =>
        value = IsNull(true) ? null : RandomStructure<T>();
    public void Array<T>(ref List<T> values) where T : class, IMessage, new() =>
        values = RandomList(static filler => filler.RandomStructure<T>());
    public void NullableArray<T>(ref List<T>? values, bool nullable) where T : class, IMessage, new() =>
        values = IsNull(nullable) ? null : RandomList(static filler => filler.RandomStructure<T>());

    public bool BeginTag(int tag, bool present) => isFlexible && OneIn(2);
    public void EndTag() { }
    public void EndOfStructure() { }

    private bool OneIn(int count) => _random.Next(count) == 0;
    private bool IsNull(bool nullable) => nullable && OneIn(4);

    private T RandomStructure<T>() where T : class, IMessage, new()
    {
        var value = new T();
        var filler = this;
        value.Describe(ref filler);
        return value;
    }

    private List<T> RandomList<T>(Func<RandomFiller, T> next)
    {
        var values = new List<T>();
        for (var count = _random.Next(4); count > 0; count--) values.Add(next(this));
        return values;
    }

    private byte[] RandomBytes(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Characters of one to four bytes; now and then longer than a one-byte varint can say.</summary>
    private string RandomString()
    {
        var text = new StringBuilder();
        for (var count = OneIn(20) ? 200 : _random.Next(12); count > 0; count--)
            text.Append(_random.Next(6) switch { 0 => "ö", 1 => "語", 2 => "🪵", _ => (char)_random.Next('a', 'z' + 1) });
        return text.ToString();
    }

    private delegate void Setter<T>(ref T value);

    private static T Of<T>(Setter<T> set) where T : struct
    {
        T value = default;
        set(ref value);
        return value;
    }
}
