using System.Buffers;

namespace OrleansLog.Client.Transport;

/// <summary>
/// The body of a response, in pooled memory. Starts with one reference; whoever keeps slices of <see cref="Body"/>
/// beyond it takes another with <see cref="Retain"/>. The last <see cref="Dispose"/> gives the memory back, after which
/// slices must not be touched. A frame that is never disposed costs the pool a buffer and nothing else.
/// </summary>
public sealed class ResponseFrame : IDisposable
{
    /// <summary>The answer to a request that has none.</summary>
    public static readonly ResponseFrame None = new(0, ReadOnlyMemory<byte>.Empty);

    private readonly byte[] _buffer;
    private readonly bool _isPooled;
    private int _references = 1;

    /// <summary>A frame over a buffer of its own, for transports that have the bytes anyway.</summary>
    public ResponseFrame(short version, ReadOnlyMemory<byte> body) => (Version, _buffer, Body) = (version, [], body);

    internal ResponseFrame(short version, byte[] rented, int start, int length)
    {
        (Version, _buffer, Body, _isPooled) = (version, rented, rented.AsMemory(start, length), true);
    }

    /// <summary>The version that the body is written in.</summary>
    public short Version { get; }

    /// <summary>The response without its header.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    public void Retain() => Interlocked.Increment(ref _references);

    public void Dispose()
    {
        if (_isPooled && Interlocked.Decrement(ref _references) == 0) ArrayPool<byte>.Shared.Return(_buffer);
    }
}
