namespace OrleansLog.Storage.Tiering;

/// <summary>Part of a segment's file, as a store reads it. One user at a time; the file stays its owner's.</summary>
internal sealed class SegmentStream(ILogFile file, long start, long length) : Stream
{
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => Seek(value, SeekOrigin.Begin);
    }

    public override int Read(Span<byte> buffer)
    {
        var read = file.Read(start + _position, buffer[..(int)Math.Min(buffer.Length, length - _position)]);
        _position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override long Seek(long offset, SeekOrigin origin)
    {
        var wanted = offset + origin switch { SeekOrigin.Begin => 0, SeekOrigin.Current => _position, _ => length };
        return _position = wanted >= 0 && wanted <= length ? wanted : throw new IOException($"{file.Path}: there is no position {wanted} in {length} bytes.");
    }

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException("The file is only read.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("The file is only read.");
}
