using System.Text;
using Microsoft.Win32.SafeHandles;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Files;

/// <summary>
/// A file named <c>.lock</c> that its owner holds and that says who that is: with flock(2), on Windows by sharing it with
/// readers only. The system lets go of it when the process ends, so that a file left behind by a dead owner is no
/// obstacle.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    private const string FileName = ".lock";
    private const int OwnerBytesMax = 1024;

    private readonly SafeFileHandle _handle;

    private DirectoryLock(SafeFileHandle handle) => _handle = handle;

    public static DirectoryLock Take(string directory, string owner)
    {
        var path = Path.Combine(directory, FileName);
        if (TryOpen(path) is not { } handle)
            throw new DirectoryInUseException(
                $"{directory} is in use by {ReadOwner(path)}. Stop that process, or give this one a directory of its own.");
        RandomAccess.SetLength(handle, 0);
        RandomAccess.Write(handle, Encoding.UTF8.GetBytes(owner), 0);
        return new DirectoryLock(handle);
    }

    // Told so, and not only by closing: a process that is being started at this moment still has the descriptor too.
    public void Dispose()
    {
        if (!_handle.IsClosed && !OperatingSystem.IsWindows()) _ = LibC.Flock(_handle, LibC.Unlock);
        _handle.Dispose();
    }

    private static SafeFileHandle? TryOpen(string path) =>
        OperatingSystem.IsWindows() ? TryOpenOnWindows(path) : TryOpenOnUnix(path);

    private static SafeFileHandle? TryOpenOnUnix(string path)
    {
        var handle = OpenUnlocked(path);
        if (LibC.Flock(handle, LibC.LockExclusiveNonBlocking) == 0) return handle;
        handle.Dispose();
        return null;
    }

    // .NET itself would ask for a lock with every file that it opens.
    private static SafeFileHandle OpenUnlocked(string path)
    {
        if (!File.Exists(path)) File.Create(path).Dispose();
        var descriptor = LibC.Open(path, LibC.ReadWrite | LibC.CloseOnExec);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw LibC.Failure("open", path);
    }

    private static SafeFileHandle? TryOpenOnWindows(string path)
    {
        const int SharingViolation = unchecked((int)0x80070020);
        try
        {
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        }
        catch (IOException e) when (e.HResult == SharingViolation)
        {
            return null;
        }
    }

    private static string ReadOwner(string path)
    {
        using var handle = OperatingSystem.IsWindows()
            ? File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite)
            : OpenUnlocked(path);
        var bytes = new byte[OwnerBytesMax];
        var owner = Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(handle, bytes, 0));
        return owner.Length == 0 ? "another process" : owner;
    }
}
