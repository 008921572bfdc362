using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Files;

/// <summary>
/// One file on the disk, opened at its first use. While many are open, one that is idle and has nothing to flush may be
/// closed behind its user's back, and is opened again when it is next used (<see cref="OpenFiles"/>).
/// </summary>
public sealed class PhysicalLogFile : ILogFile, IDiskWork
{
    private readonly OpenFiles _openFiles;
    private readonly FlushThreads _flushThreads;
    private SafeFileHandle? _handle;
    private bool _isDirty;
    private bool _isKeptOpen;
    private bool _isDisposed;

    internal PhysicalLogFile(string path, bool create, OpenFiles openFiles, FlushThreads flushThreads)
    {
        Path = path;
        _openFiles = openFiles;
        _flushThreads = flushThreads;
        if (create) Open(FileMode.OpenOrCreate);
    }

    public string Path { get; }

    public long Length => Use(static (handle, _) => RandomAccess.GetLength(handle), 0);

    /// <summary>Whether the file was used since the last time that somebody looked for idle ones.</summary>
    internal bool WasUsed { get; set; }

    public int Read(long position, Span<byte> destination)
    {
        while (true)
        {
            try
            {
                return RandomAccess.Read(Handle, destination, position);
            }
            catch (ObjectDisposedException) when (!_isDisposed)
            {
            }
        }
    }

    public void Write(long position, ReadOnlySpan<byte> source)
    {
        Volatile.Write(ref _isDirty, true);
        while (true)
        {
            try
            {
                RandomAccess.Write(Handle, source, position);
                return;
            }
            catch (ObjectDisposedException) when (!_isDisposed)
            {
            }
        }
    }

    public void KeepOpen()
    {
        Interlocked.Exchange(ref _isKeptOpen, true);
        _ = Handle;
    }

    public void Truncate(long length)
    {
        Volatile.Write(ref _isDirty, true);
        Use(static (handle, length) =>
        {
            RandomAccess.SetLength(handle, length);
            return true;
        }, length);
    }

    public ValueTask FlushAsync() => _flushThreads.Run(this);

    /// <summary>
    /// The open file, for sendfile(2): it stays open until the lease is disposed, even if the segment is deleted.
    /// </summary>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public HandleLease Lease() => Use(static (handle, _) => new HandleLease(handle), 0);

    void IDiskWork.Run()
    {
        Volatile.Write(ref _isDirty, false);
        Use(static (handle, path) =>
        {
            if (!OperatingSystem.IsLinux()) RandomAccess.FlushToDisk(handle);
            else if (LibC.Fdatasync(handle) != 0) throw LibC.Failure("fdatasync", path);
            return true;
        }, Path);
    }

    public void Dispose()
    {
        _isDisposed = true;
        Close(Interlocked.Exchange(ref _handle, null));
    }

    /// <summary>Closes the file if nothing would be lost. False when it has to stay open.</summary>
    internal bool TryEvict()
    {
        if (_isDisposed) return true;
        if (Volatile.Read(ref _isDirty) || Volatile.Read(ref _isKeptOpen)) return false;
        var handle = Interlocked.Exchange(ref _handle, null);
        // Whoever asked to keep it open either found it closed, and opened it anew, or is seen here.
        if (handle is not null && Volatile.Read(ref _isKeptOpen) && Interlocked.CompareExchange(ref _handle, handle, null) is null)
            return false;
        Close(handle);
        return true;
    }

    private SafeFileHandle Handle
    {
        get
        {
            if (!WasUsed) WasUsed = true;
            return Volatile.Read(ref _handle) ?? Open(FileMode.Open);
        }
    }

    // Whoever took the handle just before it was evicted tries again.
    private TResult Use<TArgument, TResult>(Func<SafeFileHandle, TArgument, TResult> use, TArgument argument)
    {
        while (true)
        {
            try
            {
                return use(Handle, argument);
            }
            catch (ObjectDisposedException) when (!_isDisposed)
            {
            }
        }
    }

    private SafeFileHandle Open(FileMode mode)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var handle = File.OpenHandle(Path, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (Interlocked.CompareExchange(ref _handle, handle, null) is { } winner)
        {
            handle.Dispose();
            return winner;
        }

        _openFiles.Opened(this);
        return handle;
    }

    private void Close(SafeFileHandle? handle)
    {
        if (handle is null) return;
        handle.Dispose();
        _openFiles.Closed();
    }
}

/// <summary>Keeps a file's descriptor open until it is disposed. To be disposed once.</summary>
public readonly struct HandleLease : IDisposable
{
    internal HandleLease(SafeFileHandle handle)
    {
        var isHeld = false;
        handle.DangerousAddRef(ref isHeld);
        Handle = handle;
    }

    public SafeFileHandle Handle { get; }

    public void Dispose() => Handle.DangerousRelease();
}
