using System.Buffers;

namespace OrleansLog.Cli.Output;

/// <summary>
/// Standard output for records: one large buffer before the stream, written when full or when told. One thread at a
/// time.
/// </summary>
internal sealed class RecordOutput(Stream stream, int bufferBytes = RecordOutput.DefaultBufferBytes) : IBufferWriter<byte>
{
    private const int DefaultBufferBytes = 1024 * 1024;

    private byte[] _buffer = new byte[bufferBytes];
    private int _used;

    /// <summary>All bytes taken so far, written or not.</summary>
    public long TotalBytes { get; private set; }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetSpan(bytes.Length));
        Advance(bytes.Length);
    }

    public void Write(byte value)
    {
        if (_used == _buffer.Length) Flush();
        _buffer[_used++] = value;
        TotalBytes++;
    }

    public void Advance(int count)
    {
        _used += count;
        TotalBytes += count;
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _buffer.AsSpan(_used);
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _buffer.AsMemory(_used);
    }

    /// <summary>Hands everything to the stream.</summary>
    /// <exception cref="OutputClosedException">The reader has gone.</exception>
    public void Flush()
    {
        if (_used == 0) return;
        var bytes = _buffer.AsSpan(0, _used);
        _used = 0;
        try
        {
            stream.Write(bytes);
            stream.Flush();
        }
        catch (IOException e) when (IsBrokenPipe(e))
        {
            throw new OutputClosedException(e);
        }
    }

    private void MakeRoom(int bytes)
    {
        if (_buffer.Length - _used >= Math.Max(bytes, 1)) return;
        Flush();
        if (_buffer.Length < bytes) _buffer = new byte[bytes];
    }

    // EPIPE on Unix; on Windows "the pipe is being closed" and "the pipe has been ended".
    private static bool IsBrokenPipe(IOException e) =>
        e.HResult is 32 or unchecked((int)0x800700E8) or unchecked((int)0x8007006D) || e.InnerException is System.Net.Sockets.SocketException;
}
