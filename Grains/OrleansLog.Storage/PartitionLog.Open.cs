using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Storage.Compaction;

namespace OrleansLog.Storage;

public sealed partial class PartitionLog
{
    /// <summary>
    /// Opens the log in a directory, which is created when it is not there, and recovers what was not known to be
    /// flushed; afterwards all of it is. The caller owns the directory (<see cref="ILogFileSystem.Lock"/>). Different
    /// logs may be opened at once; recovery works on the calling thread for as long as its bytes take to read.
    /// </summary>
    /// <param name="files">The disk.</param>
    /// <param name="directory">The partition's own directory, with forward slashes.</param>
    /// <param name="options">How the log is kept.</param>
    /// <param name="time">Tells when segments were created.</param>
    /// <param name="logger">Told of what recovery finds.</param>
    /// <param name="budget">Shared by all logs of the broker; null for one alone.</param>
    /// <exception cref="StorageException">The files cannot be read or written, or belong to a later format.</exception>
    public static async ValueTask<PartitionLog> OpenAsync(
        ILogFileSystem files,
        string directory,
        LogOptions options,
        TimeProvider time,
        ILogger logger,
        RecoveryBudget? budget = null)
    {
        var log = new PartitionLog(files, directory, options, time, logger, budget);
        try
        {
            log._directoryIsNew = files.CreateDirectory(directory);
            if (!log._directoryIsNew) await log.RecoverAsync();
            return log;
        }
        catch (IOException e) when (e is not StorageException)
        {
            throw new StorageException($"Opening {directory} failed: {e.Message}", e);
        }
    }

    /// <summary>
    /// Flushes, notes that there is nothing to recover, and closes the files, at once even for those who are reading.
    /// </summary>
    /// <exception cref="StorageException">The flush or the note failed, now or before; the files are closed all the same.</exception>
    public async ValueTask DisposeAsync()
    {
        if (_isClosed) return;
        try
        {
            ThrowIfFailed();
            await CheckpointAsync();
        }
        finally
        {
            await Enqueue(static () => Task.CompletedTask);
            Close();
        }
    }

    /// <summary>Closes the log without flushing and deletes its directory.</summary>
    public void Delete()
    {
        Close();
        _files.DeleteDirectory(Directory);
    }

    private void Close()
    {
        _isClosed = true;
        Fail(new StorageException($"{Directory} is closed"));
        _flushTimer?.Dispose();
        _retired?.Dispose();
        foreach (var segment in _segments) segment.Close();
        var held = Interlocked.Exchange(ref _uncheckpointedBytes, 0);
        _budget?.Change(-held, held > 0 ? -1 : 0);
    }

    private async ValueTask RecoverAsync()
    {
        var entries = _files.List(Directory);
        if (SegmentSwap.IsLeft(entries))
        {
            await SegmentSwap.CompleteAsync(_files, Directory);
            entries = _files.List(Directory);
        }

        var recovery = new LogRecovery(_files, Directory, Options, _logger, entries);
        recovery.Run();
        _segments = [.. recovery.Segments];
        _epochs = recovery.Epochs;
        foreach (var segment in _segments) segment.KnownEpochs = offset => Epochs.EpochAt(offset);
        _logStartOffset = recovery.LogStartOffset.Value;
        _logEndOffset = recovery.LogEndOffset.Value;
        _isRollDue = recovery.MustRoll;
        _checkpoint = recovery.Checkpoint;
        _snapshots = [.. recovery.Snapshots.Order()];
        _cleaned = recovery.ReadCleaned(LogEndOffset);
        _producers = ProducersAt(LogEndOffset);
        _producers.Transactions.DropBefore(LogStartOffset);
        _startNotes.AddRange(recovery.StartNotes);
        await FlushRecoveredAsync(recovery);
        _flushedOffset = _logEndOffset;
        foreach (var segment in _segments) segment.Close();
    }

    // What was read goes to the disk before anybody is served from it. The checkpoint that would spare the next recovery
    // the reading can wait, unless something was mended.
    private async ValueTask FlushRecoveredAsync(LogRecovery recovery)
    {
        // Written once more: an earlier flush of these pages may have failed, and the next one would then not touch them.
        foreach (var (segment, from) in recovery.Scanned)
        {
            segment.WriteAgain(from);
            await segment.Log.FlushAsync();
        }

        if (recovery.HasNewFiles) await _files.FlushDirectoryAsync(Directory);
        if (recovery.HasNewFiles && !recovery.HasCheckpoint) await _files.FlushDirectoryAsync(ParentDirectory);
        if (!recovery.HasMended)
        {
            _uncheckpointedBytes = recovery.ScannedBytes;
            _budget?.Change(_uncheckpointedBytes, _uncheckpointedBytes > 0 ? 1 : 0);
            return;
        }

        foreach (var segment in _segments.Where(segment => segment.HasCutIndexes || recovery.HasScanned(segment)))
        {
            segment.StoreIndexes();
            await segment.FlushIndexesAsync();
        }

        await _files.FlushDirectoryAsync(Directory);
        await WriteEpochsAsync(_epochs);
        var snapshot = await WriteSnapshotAsync(PlanSnapshot(), LogEndOffset);
        await WriteCheckpointAsync(NextCheckpoint() with { ProducerSnapshot = snapshot });
    }
}
