using OrleansLog.Coordination;
using OrleansLog.Protocol;

namespace OrleansLog.UnitTests.Coordination;

/// <summary>A partition of the offsets topic in memory, whose appends and commits can be made to wait or fail.</summary>
public sealed class MemoryPartition : IPartitionReader, IPartitionWriter
{
    private readonly List<IReadOnlyList<CoordinatorRecord>> _batches = [];
    private readonly Queue<TaskCompletionSource<ErrorCode>> _heldCommits = [];
    private long _recordCount;

    public int MaxBatchBytes { get; set; } = 1024 * 1024;

    /// <summary>What appends are refused with.</summary>
    public ErrorCode AppendError { get; set; }

    /// <summary>Keeps commits back until <see cref="CommitNext"/>.</summary>
    public bool HoldCommits { get; set; }

    /// <summary>Awaited by every append.</summary>
    public Task AppendGate { get; set; } = Task.CompletedTask;

    /// <summary>Awaited by every read.</summary>
    public Task ReadGate { get; set; } = Task.CompletedTask;

    public Exception? ReadFailure { get; set; }

    public int ReadCount { get; private set; }

    public IReadOnlyList<IReadOnlyList<CoordinatorRecord>> Batches => _batches;

    public IEnumerable<CoordinatorRecord> Records => _batches.SelectMany(batch => batch);

    public async ValueTask<PartitionAppend> AppendAsync(IReadOnlyList<CoordinatorRecord> records, TransactionWrite? transaction = null)
    {
        await AppendGate;
        if (AppendError != ErrorCode.None)
            return PartitionAppend.Refused(AppendError);
        Assert.True(records.Sum(record => record.SizeInBytes) <= MaxBatchBytes, "the batch is larger than the partition takes");
        _batches.Add([.. records]);
        _recordCount += records.Count;
        return new PartitionAppend(ErrorCode.None, new Offset(_recordCount - 1), Commit());
    }

    public void CommitNext(ErrorCode error = ErrorCode.None) => _heldCommits.Dequeue().SetResult(error);

    public async IAsyncEnumerable<LoadedBatch> ReadAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        ReadCount++;
        await ReadGate.WaitAsync(cancellation);
        if (ReadFailure is not null)
            throw ReadFailure;
        var offset = Offset.Zero;
        foreach (var batch in _batches.ToList())
        {
            yield return new LoadedBatch(offset, batch);
            offset += batch.Count;
        }
    }

    /// <summary>Loses the last batch, as a leader does that falls before others have it.</summary>
    public void Forget()
    {
        _recordCount -= _batches[^1].Count;
        _batches.RemoveAt(_batches.Count - 1);
    }

    /// <summary>Puts a record there that no coordinator of ours wrote.</summary>
    public void Plant(params CoordinatorRecord[] records)
    {
        _batches.Add(records);
        _recordCount += records.Length;
    }

    private Task<ErrorCode> Commit()
    {
        if (!HoldCommits)
            return Task.FromResult(ErrorCode.None);
        var held = new TaskCompletionSource<ErrorCode>();
        _heldCommits.Enqueue(held);
        return held.Task;
    }
}
