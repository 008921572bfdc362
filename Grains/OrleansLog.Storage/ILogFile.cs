namespace OrleansLog.Storage;

/// <summary>
/// One file, read and written at positions, by any number of threads at once. Failures are
/// <see cref="IOException"/>s. A buffer belongs to the caller again when the call returns.
/// </summary>
public interface ILogFile : IDisposable
{
    /// <summary>Where the file was when it was opened; for messages.</summary>
    string Path { get; }

    /// <summary>The present length in bytes.</summary>
    long Length { get; }

    /// <summary>
    /// Reads from <paramref name="position"/>. Returns how many bytes were read, which may be fewer than asked for;
    /// 0 at and past the end of the file.
    /// </summary>
    int Read(long position, Span<byte> destination);

    /// <summary>
    /// Writes all of <paramref name="source"/>, into the page cache only. When it fails (a full disk), a part may have
    /// been written.
    /// </summary>
    void Write(long position, ReadOnlySpan<byte> source);

    /// <summary>
    /// Says that the file's name is about to be deleted and its bytes shall stay readable until it is disposed. Nothing to
    /// do for files that are never closed behind their user's back.
    /// </summary>
    void KeepOpen()
    {
    }

    /// <summary>Cuts the file back to a length.</summary>
    void Truncate(long length);

    /// <summary>
    /// Completes when everything written before the call survives a power failure. After a failure nobody knows which
    /// bytes reached the disk, and a later flush that succeeds proves nothing about them.
    /// </summary>
    ValueTask FlushAsync();
}
