using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>
/// Reads partitions: those that its group gives it (<see cref="Subscribe(IEnumerable{string}, IRebalanceListener?)"/>)
/// or those that the application chooses (<see cref="Assign(IEnumerable{TopicPartition})"/>). It fetches ahead in the background, within
/// <see cref="ConsumerOptions.PrefetchBytesMax"/>. One reader at a time; every other member may be called from any
/// thread meanwhile.
/// </summary>
public partial class Consumer : IAsyncDisposable
{
    /// <summary>Reads topics as a member of the group; replaces an earlier subscription.</summary>
    public void Subscribe(IEnumerable<string> topics, IRebalanceListener? listener = null) => throw new NotSupportedException();

    /// <inheritdoc cref="Subscribe(IEnumerable{string}, IRebalanceListener?)"/>
    public void Subscribe(params ReadOnlySpan<string> topics) => Subscribe(topics.ToArray(), null);

    /// <summary>Reads these partitions, without taking part in a group, from the committed offsets if there is a group id.</summary>
    public void Assign(IEnumerable<TopicPartition> partitions) => throw new NotSupportedException();

    /// <summary>Reads these partitions from these offsets.</summary>
    public void Assign(IEnumerable<TopicPartitionOffset> positions) => throw new NotSupportedException();

    /// <summary>Gives up all partitions, and the membership in the group if there is one.</summary>
    public ValueTask UnsubscribeAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>The partitions that are being read now.</summary>
    public IReadOnlyCollection<TopicPartition> Assignment => throw new NotSupportedException();

    /// <summary>
    /// Reads what fetches bring, as it comes: each item holds all whole batches that one fetch returned of one
    /// partition. An item belongs to the client again when the next is asked for; so do the bytes of its records.
    /// Ends only by cancellation (<see cref="OperationCanceledException"/>) or error.
    /// </summary>
    public IAsyncEnumerable<FetchedBatch> ConsumeBatchesAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Reads on from this offset; what was fetched ahead is dropped.</summary>
    public void Seek(TopicPartition partition, Offset offset) => throw new NotSupportedException();

    /// <summary>Reads on from the oldest records that are still there; of all partitions if none are given.</summary>
    public void SeekToBeginning(params IEnumerable<TopicPartition> partitions) => throw new NotSupportedException();

    /// <summary>Reads on from the end, as it is when the next fetch is made.</summary>
    public void SeekToEnd(params IEnumerable<TopicPartition> partitions) => throw new NotSupportedException();

    /// <summary>Reads on from the first record at or after a time, or from the end if there is none.</summary>
    public ValueTask SeekToTimestampAsync(DateTimeOffset time, IEnumerable<TopicPartition>? partitions = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Stops reading these partitions until <see cref="Resume"/>; their places in the group stay.</summary>
    public void Pause(params IEnumerable<TopicPartition> partitions) => throw new NotSupportedException();

    /// <summary>Reads paused partitions on from where they stopped.</summary>
    public void Resume(params IEnumerable<TopicPartition> partitions) => throw new NotSupportedException();

    public IReadOnlyCollection<TopicPartition> Paused => throw new NotSupportedException();

    /// <summary>The offset of the next record that will be handed out, or null if that is not decided yet.</summary>
    public Offset? Position(TopicPartition partition) => throw new NotSupportedException();

    /// <summary>How far the partition went when it was last fetched (its high watermark), or null before that.</summary>
    public Offset? HighWatermark(TopicPartition partition) => throw new NotSupportedException();

    /// <summary>Commits the positions of all partitions: everything handed out before, including the record or batch in hand.</summary>
    public ValueTask CommitAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Commits these positions: each the offset of the next record to read, one past the last processed.</summary>
    public ValueTask CommitAsync(IReadOnlyCollection<TopicPartitionOffset> positions, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>What the group has committed of these partitions; those without a commit are left out.</summary>
    public ValueTask<IReadOnlyList<TopicPartitionOffset>> CommittedAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Commits if that is automatic, leaves the group, and stops fetching.</summary>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return default;
    }
}
