using Microsoft.Win32.SafeHandles;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Files;

/// <summary>One file on the disk, opened at its first use.</summary>
public sealed class PhysicalLogFile : ILogFile, IFlush
{
    private readonly FlushThreads _flushThreads;
    private SafeFileHandle? _handle;

    internal PhysicalLogFile(string path, bool create, FlushThreads flushThreads)
    {
        Path = path;
        _flushThreads = flushThreads;
        if (create) _handle = OpenHandle(path, FileMode.OpenOrCreate);
    }

    public string Path { get; }

    public long Length => RandomAccess.GetLength(Handle);

    /// <summary>
    /// The open file, for sendfile(2). Hold it with <see cref="SafeHandle.DangerousAddRef"/> while the kernel uses it.
    /// </summary>
    public SafeFileHandle Handle => Volatile.Read(ref _handle) ?? OpenOnce();

    public int Read(long position, Span<byte> destination) => RandomAccess.Read(Handle, destination, position);

    public void Write(long position, ReadOnlySpan<byte> source) => RandomAccess.Write(Handle, source, position);

    public void Truncate(long length) => RandomAccess.SetLength(Handle, length);

    public ValueTask FlushAsync() => _flushThreads.Run(this);

    void IFlush.Run() => RandomAccess.FlushToDisk(Handle);

    public void Dispose() => Volatile.Read(ref _handle)?.Dispose();

    private SafeFileHandle OpenOnce()
    {
        var handle = OpenHandle(Path, FileMode.Open);
        var winner = Interlocked.CompareExchange(ref _handle, handle, null);
        if (winner is null) return handle;
        handle.Dispose();
        return winner;
    }

    private static SafeFileHandle OpenHandle(string path, FileMode mode) =>
        File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
}
