using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Storage.Producers;

namespace OrleansLog.Storage;

public sealed partial class PartitionLog
{
    private readonly List<Offset> _startNotes = [];
    private RecoveryCheckpoint _checkpoint = RecoveryCheckpoint.None;
    private LeaderEpochs? _writtenEpochs;
    private long _uncheckpointedBytes;
    private long _bytesSinceAttempt;
    private int _isCheckpointing;

    /// <summary>Bytes that recovery would have to read if the process ended now.</summary>
    public long UncheckpointedBytes => Volatile.Read(ref _uncheckpointedBytes);

    /// <summary>
    /// Flushes, and notes how far recovery need not look. The log does so by itself every
    /// <see cref="LogOptions.CheckpointBytes"/>; a broker calls it for logs that fell idle. Appends go on meanwhile.
    /// </summary>
    /// <exception cref="StorageException">The files failed. Nothing is lost unless <see cref="Failure"/> says so.</exception>
    public ValueTask CheckpointAsync()
    {
        if (_checkpoint.Offset == LogEndOffset && UncheckpointedBytes == 0) return ValueTask.CompletedTask;
        return new ValueTask(Enqueue(() => CarryOutAsync(PlanCheckpoint(), LogStartOffset)));
    }

    private void CheckpointIfDue(int appendedBytes)
    {
        var held = Interlocked.Add(ref _uncheckpointedBytes, appendedBytes);
        _budget?.Change(appendedBytes, logs: held == appendedBytes ? 1 : 0);
        var sinceAttempt = Interlocked.Add(ref _bytesSinceAttempt, appendedBytes);
        var isDue = sinceAttempt >= Options.CheckpointBytes || _budget?.IsExceededBy(sinceAttempt) == true;
        if (!isDue || Interlocked.Exchange(ref _isCheckpointing, 1) == 1) return;
        Volatile.Write(ref _bytesSinceAttempt, 0);
        _ = CheckpointInBackgroundAsync();
    }

    private async Task CheckpointInBackgroundAsync()
    {
        try
        {
            await CheckpointAsync();
        }
        catch (Exception e)
        {
            if (Failure is null) _logger.LogWarning(e, "{Directory}: the recovery checkpoint could not be moved", Directory);
        }
        finally
        {
            Volatile.Write(ref _isCheckpointing, 0);
        }
    }

    // What the indexes hold in memory goes to their files while nobody appends.
    private CheckpointPlan PlanCheckpoint()
    {
        try
        {
            lock (_turn)
            {
                var changed = Array.FindAll(
                    _segments, segment => segment.HasCutIndexes || segment.NextOffset > _checkpoint.Offset);
                foreach (var segment in changed) segment.StoreIndexes();
                return new CheckpointPlan(NextCheckpoint(), changed, Epochs, PlanSnapshot(), UncheckpointedBytes);
            }
        }
        catch (IOException e)
        {
            throw new StorageException($"Writing the indexes of {Directory} failed: {e.Message}", e);
        }
    }

    private async Task CarryOutAsync(CheckpointPlan plan, Offset logStartOffset)
    {
        await FlushAsync(plan.Checkpoint.Offset);
        await FlushIndexesAsync(plan.Changed);
        await WriteEpochsAsync(plan.Epochs);
        var snapshot = await WriteSnapshotAsync(plan.Producers, plan.Checkpoint.Offset);
        await WriteCheckpointAsync(plan.Checkpoint with { LogStartOffset = logStartOffset, ProducerSnapshot = snapshot });
        DropSnapshots();
        var left = Interlocked.Add(ref _uncheckpointedBytes, -plan.Bytes);
        _budget?.Change(-plan.Bytes, logs: left == 0 && plan.Bytes > 0 ? -1 : 0);
    }

    // As with the log itself, a later flush that succeeds would prove nothing.
    private async ValueTask FlushIndexesAsync(Segment[] segments)
    {
        try
        {
            foreach (var segment in segments) await segment.FlushIndexesAsync();
        }
        catch (IOException e)
        {
            Fail(new StorageException($"Flushing the indexes of {Directory} failed: {e.Message}", e));
            throw;
        }
    }

    private async ValueTask WriteEpochsAsync(LeaderEpochs epochs)
    {
        if (ReferenceEquals(epochs, _writtenEpochs)) return;
        await CheckpointFile.WriteAsync(_files, Directory, LeaderEpochs.FileName, epochs.ToLines());
        _writtenEpochs = epochs;
    }

    private async ValueTask WriteCheckpointAsync(RecoveryCheckpoint checkpoint)
    {
        await CheckpointFile.WriteAsync(_files, Directory, RecoveryCheckpoint.FileName, checkpoint.ToLines());
        _checkpoint = checkpoint;
        foreach (var start in _startNotes) _files.Delete(SegmentFileNames.PathOf(Directory, start, SegmentFileNames.StartNoteSuffix));
        _startNotes.Clear();
    }

    // What is deleted without a word would pass for lost after a crash. A name takes no room; the next checkpoint replaces it.
    private async ValueTask NoteStartAsync(Offset start)
    {
        _startNotes.Add(start);
        _files.Open(SegmentFileNames.PathOf(Directory, start, SegmentFileNames.StartNoteSuffix), create: true).Dispose();
        await _files.FlushDirectoryAsync(Directory);
    }

    private RecoveryCheckpoint NextCheckpoint()
    {
        if (_segments.Length == 0 || _isRollDue) return RecoveryCheckpoint.At(LogStartOffset, LogEndOffset);
        var active = _segments[^1];
        return new RecoveryCheckpoint(
            LogStartOffset, LogEndOffset, active.BaseOffset, active.Size, active.Offsets.Count, active.Times.Count);
    }

    /// <summary>What one checkpoint is about.</summary>
    private sealed record CheckpointPlan(
        RecoveryCheckpoint Checkpoint, Segment[] Changed, LeaderEpochs Epochs, ProducerStates.Copy? Producers, long Bytes);
}
