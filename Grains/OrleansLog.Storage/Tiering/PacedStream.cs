namespace OrleansLog.Storage.Tiering;

/// <summary>Another stream, read at a rate; that stream stays its owner's. One user at a time.</summary>
internal sealed class PacedStream(Stream stream, Throttle throttle, long bytesPerSecond) : Stream
{
    // What a store reads at once goes in parts, so that others get their turn.
    private const int PartBytesMax = 256 << 10;

    public override bool CanRead => true;

    public override bool CanSeek => stream.CanSeek;

    public override bool CanWrite => false;

    public override long Length => stream.Length;

    public override long Position
    {
        get => stream.Position;
        set => stream.Position = value;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var part = buffer[..Math.Min(buffer.Length, PartBytesMax)];
        await throttle.WaitAsync(part.Length, bytesPerSecond, cancellationToken);
        return await stream.ReadAsync(part, cancellationToken);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A paced stream is read asynchronously.");

    public override long Seek(long offset, SeekOrigin origin) => stream.Seek(offset, origin);

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException("The stream is only read.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("The stream is only read.");
}
