using System.Collections.Immutable;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Transactions;

/// <summary>Where a transactional id stands. The numbers are Kafka's, as they are stored.</summary>
internal enum TransactionStatus : sbyte
{
    /// <summary>No transaction yet.</summary>
    Empty = 0,

    /// <summary>A transaction is open.</summary>
    Ongoing = 1,

    /// <summary>It is committed; not every partition knows yet.</summary>
    PrepareCommit = 2,

    /// <summary>It is aborted; not every partition knows yet.</summary>
    PrepareAbort = 3,

    /// <summary>It was committed, and all know.</summary>
    CompleteCommit = 4,

    /// <summary>It was aborted, and all know.</summary>
    CompleteAbort = 5,
}

/// <summary>All that is known of one transactional id. Never changed: each change is another of these.</summary>
internal sealed record TransactionState(string TransactionalId, long ProducerId, short Epoch)
{
    public const long NoProducerId = -1;

    /// <summary>The last epoch that is given to a producer; the one after it is left for fencing it.</summary>
    public const short EpochMax = short.MaxValue - 1;

    /// <summary>The id that the last epoch of ended with this transactional id's present one.</summary>
    public long PreviousProducerId { get; init; } = NoProducerId;

    /// <summary>The id that the producer has from the end of this transaction on; none if it keeps its own.</summary>
    public long NextProducerId { get; init; } = NoProducerId;

    /// <summary>The epoch before the last bump, by which a request that is sent again is known. Not stored.</summary>
    public short LastEpoch { get; init; } = -1;

    public TransactionStatus Status { get; init; }

    /// <summary>How long a transaction may stay open, in milliseconds.</summary>
    public int TimeoutMs { get; init; }

    public ImmutableHashSet<TopicPartition> Partitions { get; init; } = [];

    /// <summary>
    /// Where the transaction after the one that is written last as <c>Prepare…</c> may begin without another record: in the
    /// partitions of that one. Whoever reads that record writes its markers there once more, and so learns where it has begun.
    /// Not stored.
    /// </summary>
    public ImmutableHashSet<TopicPartition> Reserved { get; init; } = [];

    /// <summary>When the transaction began, in milliseconds since the Unix epoch; -1 when there is none.</summary>
    public long StartMs { get; init; } = -1;

    public long UpdatedMs { get; init; }

    /// <summary>2 where the producer gets a new epoch with each transaction (KIP-890).</summary>
    public short Version { get; init; }

    public bool IsEnding => Status is TransactionStatus.PrepareCommit or TransactionStatus.PrepareAbort;

    /// <summary>Whether the last transaction is complete, and no other has begun.</summary>
    public bool HasEnded => Status is TransactionStatus.CompleteCommit or TransactionStatus.CompleteAbort;

    public bool IsCommit => Status is TransactionStatus.PrepareCommit or TransactionStatus.CompleteCommit;

    public bool IsEpochExhausted => Epoch >= EpochMax;

    /// <summary>Another epoch of the same id, in which nothing was begun.</summary>
    public TransactionState WithNextEpoch(int timeoutMs, long nowMs) => this with
    {
        Epoch = (short)(Epoch + 1),
        LastEpoch = Epoch,
        TimeoutMs = timeoutMs,
        Status = TransactionStatus.Empty,
        Reserved = [],
        StartMs = -1,
        UpdatedMs = nowMs,
        Version = 0,
    };

    /// <summary>The first epoch of another id.</summary>
    public TransactionState WithProducerId(long producerId, int timeoutMs, long nowMs) => this with
    {
        ProducerId = producerId,
        PreviousProducerId = ProducerId,
        Epoch = 0,
        LastEpoch = Epoch,
        TimeoutMs = timeoutMs,
        Status = TransactionStatus.Empty,
        Reserved = [],
        StartMs = -1,
        UpdatedMs = nowMs,
        Version = 0,
    };

    /// <summary>A transaction is open in these partitions.</summary>
    /// <param name="partitions">All of them.</param>
    /// <param name="version">See <see cref="Version"/>.</param>
    /// <param name="isWritten">Whether a record will say so, which ends what is reserved.</param>
    /// <param name="nowMs">The time.</param>
    public TransactionState With(ImmutableHashSet<TopicPartition> partitions, short version, bool isWritten, long nowMs) => this with
    {
        Reserved = isWritten ? [] : Reserved,
        Partitions = partitions,
        Status = TransactionStatus.Ongoing,
        UpdatedMs = nowMs,
        Version = version,
        StartMs = Status == TransactionStatus.Ongoing ? StartMs : nowMs,
    };

    /// <summary>Decides the outcome.</summary>
    /// <param name="isCommit">The outcome.</param>
    /// <param name="bumpsEpoch">Whether the markers have a new epoch, in which the producer goes on or by which it is fenced.</param>
    /// <param name="nextProducerId">Who the producer is afterwards where its epochs are used up.</param>
    /// <param name="nowMs">The time.</param>
    public TransactionState Preparing(bool isCommit, bool bumpsEpoch, long nextProducerId, long nowMs) => this with
    {
        Status = isCommit ? TransactionStatus.PrepareCommit : TransactionStatus.PrepareAbort,
        Epoch = bumpsEpoch ? (short)(Epoch + 1) : Epoch,
        LastEpoch = bumpsEpoch ? Epoch : LastEpoch,
        NextProducerId = nextProducerId,
        Reserved = [],
        UpdatedMs = nowMs,
    };

    /// <summary>All partitions know.</summary>
    public TransactionState Completed(long nowMs) => this with
    {
        Status = IsCommit ? TransactionStatus.CompleteCommit : TransactionStatus.CompleteAbort,
        ProducerId = NextProducerId == NoProducerId ? ProducerId : NextProducerId,
        PreviousProducerId = NextProducerId == NoProducerId ? PreviousProducerId : ProducerId,
        Epoch = NextProducerId == NoProducerId ? Epoch : (short)0,
        NextProducerId = NoProducerId,
        // A marker in the name of one producer id tells nothing of another.
        Reserved = Version >= 2 && NextProducerId == NoProducerId ? Partitions : [],
        Partitions = [],
        StartMs = -1,
        UpdatedMs = nowMs,
    };

    /// <summary>The partitions in the order of their names, which is the same wherever this is asked for.</summary>
    public IEnumerable<TopicPartition> PartitionsInOrder =>
        Partitions.OrderBy(partition => partition.Topic, StringComparer.Ordinal).ThenBy(partition => partition.Partition);

    /// <summary>What the partitions have to be told.</summary>
    public TransactionEnd ToEnd(int coordinatorEpoch) =>
        new(TransactionalId, ProducerId, Epoch, IsCommit, [.. PartitionsInOrder], coordinatorEpoch, HasNewEpoch: Version >= 2);
}
