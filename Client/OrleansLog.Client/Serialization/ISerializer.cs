using System.Buffers;

namespace OrleansLog.Client;

/// <summary>
/// Writes values of one type as the bytes of a key or value. Called from many threads at once: keep no state.
/// A null reference never arrives here; the client sends it as a null key or value.
/// </summary>
public interface ISerializer<in T>
{
    /// <summary>Appends the bytes of <paramref name="value"/> to <paramref name="destination"/>.</summary>
    void Serialize(T value, IBufferWriter<byte> destination);
}

/// <summary>
/// Reads values of one type from the bytes of a key or value. Called from many threads at once: keep no state.
/// A null key or value never arrives here; the client hands out the type's default for it.
/// </summary>
public interface IDeserializer<out T>
{
    /// <summary>Reads a value. The bytes belong to the client and are gone after the call: copy what must stay.</summary>
    T Deserialize(ReadOnlySpan<byte> data);
}

/// <summary>Both directions of one type.</summary>
public interface ISerde<T> : ISerializer<T>, IDeserializer<T>;
