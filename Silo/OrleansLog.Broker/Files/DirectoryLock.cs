using Microsoft.Win32.SafeHandles;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Files;

/// <summary>
/// A file named <c>.lock</c> that its owner holds with flock(2), and one beside it that says who that is. The kernel lets
/// go of the lock when the process ends, so that files left behind by a dead owner are no obstacle.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    private const string LockName = ".lock";

    /// <summary>A file of its own: .NET itself refuses to open one that another process has locked.</summary>
    private const string OwnerName = ".owner";

    private readonly SafeFileHandle _handle;

    private DirectoryLock(SafeFileHandle handle) => _handle = handle;

    public static DirectoryLock Take(string directory, string owner)
    {
        if (TryLock(Path.Combine(directory, LockName)) is not { } handle)
            throw new DirectoryInUseException(
                $"{directory} is in use by {ReadOwner(directory)}. Stop that process, or give this one a directory of its own.");
        File.WriteAllText(Path.Combine(directory, OwnerName), owner);
        return new DirectoryLock(handle);
    }

    public void Dispose() => _handle.Dispose();

    private static SafeFileHandle? TryLock(string path)
    {
        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            if (OperatingSystem.IsWindows() || LibC.Flock(handle, LibC.LockExclusiveNonBlocking) == 0)
                return handle;
        }
        catch (IOException problem) when (IsLockedByOther(problem))
        {
        }
        handle?.Dispose();
        return null;
    }

    /// <summary>EWOULDBLOCK of Linux and of macOS, and the sharing violation of Windows.</summary>
    private static bool IsLockedByOther(IOException problem) => problem.HResult is 11 or 35 or unchecked((int)0x80070020);

    private static string ReadOwner(string directory)
    {
        try
        {
            return File.ReadAllText(Path.Combine(directory, OwnerName));
        }
        catch (IOException)
        {
            return "another process";
        }
    }
}
