using System.Text;
using Microsoft.Win32.SafeHandles;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Files;

/// <summary>
/// A file named <c>.lock</c> that its owner holds with flock(2) and that says who that is. The kernel lets go of it when
/// the process ends, so that a file left behind by a dead owner is no obstacle.
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
        var handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        if (!TryLock(handle))
        {
            var other = ReadOwner(handle);
            handle.Dispose();
            throw new DirectoryInUseException(
                $"{directory} is in use by {other}. Stop that process, or give this one a directory of its own.");
        }

        RandomAccess.SetLength(handle, 0);
        RandomAccess.Write(handle, Encoding.UTF8.GetBytes(owner), 0);
        return new DirectoryLock(handle);
    }

    public void Dispose() => _handle.Dispose();

    private static bool TryLock(SafeFileHandle handle) =>
        OperatingSystem.IsWindows() || LibC.Flock(handle, LibC.LockExclusiveNonBlocking) == 0;

    private static string ReadOwner(SafeFileHandle handle)
    {
        var bytes = new byte[OwnerBytesMax];
        var owner = Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(handle, bytes, 0));
        return owner.Length == 0 ? "another process" : owner;
    }
}
