namespace OrleansLog.Storage;

/// <summary>
/// Bytes in memory, read as a file is: what came from elsewhere and is served without going to the disk. Only read; it goes when
/// nobody refers to it any more.
/// </summary>
/// <param name="path">Where the bytes came from; for messages.</param>
/// <param name="content">The bytes, which nobody changes any more.</param>
public sealed class MemoryLogFile(string path, ReadOnlyMemory<byte> content) : ILogFile
{
    public string Path => path;

    public long Length => content.Length;

    /// <summary>The bytes, for those who need not copy them.</summary>
    public ReadOnlyMemory<byte> Content => content;

    public int Read(long position, Span<byte> destination)
    {
        var rest = content.Span[(int)Math.Min(position, content.Length)..];
        rest = rest[..Math.Min(rest.Length, destination.Length)];
        rest.CopyTo(destination);
        return rest.Length;
    }

    public void Write(long position, ReadOnlySpan<byte> source) => throw OnlyRead();

    public void Truncate(long length) => throw OnlyRead();

    public ValueTask FlushAsync() => throw OnlyRead();

    public void Dispose()
    {
    }

    private NotSupportedException OnlyRead() => new($"{path} is in memory, and only read.");
}
