using OrleansLog.Storage;

namespace OrleansLog.Broker.Files;

/// <summary>The disk. One per broker; any thread.</summary>
public sealed class PhysicalFileSystem : ILogFileSystem, IDisposable
{
    private readonly FlushThreads _flushThreads;
    private readonly OpenFiles _openFiles;

    /// <param name="flushThreads">How many flushes may run at once; each takes a thread of its own while logs are written.</param>
    /// <param name="openFilesMax">How many files may be open before idle ones are closed.</param>
    public PhysicalFileSystem(
        int flushThreads = FlushThreads.DefaultCount, int openFilesMax = OpenFiles.DefaultFilesMax)
    {
        _flushThreads = new FlushThreads(flushThreads);
        _openFiles = new OpenFiles(openFilesMax);
    }

    /// <summary>How many files are open now.</summary>
    public int OpenFileCount => _openFiles.Count;

    public ILogFile Open(string path, bool create) => new PhysicalLogFile(path, create, _openFiles, _flushThreads);

    public IReadOnlyList<LogFileEntry> List(string directory)
    {
        var info = new DirectoryInfo(directory);
        if (!info.Exists) return [];
        return [.. info.EnumerateFileSystemInfos().Select(ToEntry)];
    }

    public bool CreateDirectory(string directory)
    {
        if (Directory.Exists(directory)) return false;
        Directory.CreateDirectory(directory);
        return true;
    }

    public void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
        }
    }

    public void DeleteDirectory(string directory)
    {
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
        }
    }

    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    public ValueTask FlushDirectoryAsync(string directory) =>
        OperatingSystem.IsWindows() ? ValueTask.CompletedTask : _flushThreads.Run(new DirectoryFlush(directory));

    public IDisposable Lock(string directory, string owner) => DirectoryLock.Take(directory, owner);

    public void Dispose() => _flushThreads.Dispose();

    private static LogFileEntry ToEntry(FileSystemInfo info) =>
        info is FileInfo file ? new LogFileEntry(file.Name, file.Length) : new LogFileEntry(info.Name, 0, IsDirectory: true);
}
