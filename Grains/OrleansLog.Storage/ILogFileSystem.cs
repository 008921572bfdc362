namespace OrleansLog.Storage;

/// <summary>
/// The directories and files under a partition log. The broker supplies the disk, a simulator supplies faults. A
/// change to a directory (a file created, renamed or deleted) survives a power failure only once
/// <see cref="FlushDirectoryAsync"/> has completed for that directory; bytes of a file only once
/// <see cref="ILogFile.FlushAsync"/> has. Every member may be called from any thread; failures are
/// <see cref="IOException"/>s.
/// </summary>
public interface ILogFileSystem
{
    /// <summary>
    /// A file for positional reads and writes. With <paramref name="create"/> it is created when it is not there;
    /// without, a missing file fails at the first use at the latest.
    /// </summary>
    ILogFile Open(string path, bool create);

    /// <summary>What a directory holds, in no particular order; empty when the directory is not there.</summary>
    IReadOnlyList<LogFileEntry> List(string directory);

    /// <summary>Creates a directory and its parents. Returns false when it was there already.</summary>
    bool CreateDirectory(string directory);

    /// <summary>
    /// Deletes a file; nothing happens when it is not there. Those who read it go on (<see cref="ILogFile.KeepOpen"/>).
    /// </summary>
    void Delete(string path);

    /// <summary>Deletes a directory and everything in it; nothing happens when it is not there.</summary>
    void DeleteDirectory(string directory);

    /// <summary>Gives a file another name in one step, in place of the file that had that name.</summary>
    void Rename(string from, string to);

    /// <summary>Makes the names in a directory durable.</summary>
    ValueTask FlushDirectoryAsync(string directory);

    /// <summary>
    /// Takes a directory for one owner until the result is disposed or the process ends, however it ends.
    /// </summary>
    /// <param name="directory">An existing directory.</param>
    /// <param name="owner">Who asks, in words for the error that the next one gets: process, host, start time.</param>
    /// <exception cref="DirectoryInUseException">Another owner has it; the message names that owner.</exception>
    IDisposable Lock(string directory, string owner);
}

/// <summary>One name in a directory. <paramref name="Length"/> is in bytes, 0 for a directory.</summary>
public readonly record struct LogFileEntry(string Name, long Length, bool IsDirectory = false);
