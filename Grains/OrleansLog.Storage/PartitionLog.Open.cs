using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;

namespace OrleansLog.Storage;

public sealed partial class PartitionLog
{
    /// <summary>
    /// Opens the log in a directory, which is created when it is not there, and recovers what was not known to be
    /// flushed. The caller owns the directory (<see cref="ILogFileSystem.Lock"/>). Different logs may be opened at once;
    /// recovery works on the calling thread for as long as its bytes take to read.
    /// </summary>
    /// <exception cref="StorageException">The files cannot be read, or belong to a later format.</exception>
    public static ValueTask<PartitionLog> OpenAsync(
        ILogFileSystem files, string directory, LogOptions options, TimeProvider time, ILogger logger)
    {
        var log = new PartitionLog(files, directory, options, time, logger);
        files.CreateDirectory(directory);
        return ValueTask.FromResult(log);
    }

    /// <summary>Flushes, notes that there is nothing to recover, and closes the files. The writer's turn only.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Failure is null) await FlushAsync(LogEndOffset);
        foreach (var segment in _segments) segment.Close();
    }

    /// <summary>Closes the log and deletes its directory. The writer's turn only.</summary>
    public ValueTask DeleteAsync()
    {
        foreach (var segment in _segments) segment.Close();
        _files.DeleteDirectory(_directory);
        return ValueTask.CompletedTask;
    }
}
