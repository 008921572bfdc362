using Microsoft.Win32.SafeHandles;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Files;

/// <summary>
/// A file named <c>.lock</c> that its owner holds open for itself alone (flock(2) on Unix), and <c>.owner</c>, which
/// says who that is. The kernel lets go of the lock when the process ends, so that files left behind by a dead owner
/// are no obstacle.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    private readonly SafeFileHandle _handle;

    private DirectoryLock(SafeFileHandle handle) => _handle = handle;

    public static DirectoryLock Take(string directory, string owner)
    {
        var ownerPath = Path.Combine(directory, ".owner");
        var handle = TryOpenAlone(Path.Combine(directory, ".lock")) ?? throw new DirectoryInUseException(
            $"{directory} is in use by {ReadOwner(ownerPath)}. Stop that process, or give this one a directory of its own.");
        File.WriteAllText(ownerPath, owner);
        return new DirectoryLock(handle);
    }

    public void Dispose() => _handle.Dispose();

    private static SafeFileHandle? TryOpenAlone(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException inUse) when (inUse.GetType() == typeof(IOException) && File.Exists(path))
        {
            // The base class alone says "sharing violation"; a directory that is gone or full has types of its own.
            return null;
        }
    }

    private static string ReadOwner(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "another process";
        }
    }
}
