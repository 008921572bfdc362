using OrleansLog.Client.Metadata;
using OrleansLog.Compression;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client.Producing;

/// <summary>What the parts of one producer share.</summary>
internal sealed class ProducerState
{
    private int _flushes;

    public ProducerState(Cluster cluster, ProducerOptions options)
    {
        (Cluster, Options) = (cluster, options);
        Budget = new ByteBudget(options.BufferBytes);
        Builders = new BuilderPool(options.BatchBytes, options.BufferBytes);
        Compressor = options.Compression == CompressionType.None ? null : CompressionCodecs.For(options.Compression);
        Transactions = options.TransactionalId is null ? null : new TransactionControl(cluster, options);
        Identities = new IdentitySource(cluster, options, Transactions);
        Sender = new Sender(this);
    }

    public Cluster Cluster { get; }
    public ProducerOptions Options { get; }
    public ByteBudget Budget { get; }
    public BuilderPool Builders { get; }
    public IRecordCompressor? Compressor { get; }
    public Sender Sender { get; }

    /// <summary>The producer's transactions; null where there are none.</summary>
    public TransactionControl? Transactions { get; }

    /// <summary>Under which name records are numbered.</summary>
    public IdentitySource Identities { get; }

    /// <summary>The most batches of one partition that wait for an answer.</summary>
    public int BatchesInFlightPerPartitionMax =>
        Transactions is not null ? IdentitySource.BatchesInFlightMax
        : Identities.Current == ProducerIdentity.None ? Options.BatchesInFlightPerPartitionMax
        : Math.Min(Options.BatchesInFlightPerPartitionMax, IdentitySource.BatchesInFlightMax);

    /// <summary>Whether someone waits for everything to be sent, so that nothing lingers.</summary>
    public bool IsFlushing => Volatile.Read(ref _flushes) > 0;

    public void BeginFlush() => Interlocked.Increment(ref _flushes);

    public void EndFlush() => Interlocked.Decrement(ref _flushes);

    /// <summary>A clock that only moves forward, in milliseconds.</summary>
    public long NowMs() => Cluster.Time.MonotonicMs();

    /// <summary>Gives back what a settled batch holds.</summary>
    public void Release(ProducerBatch batch)
    {
        Builders.Return(batch.Builder);
        Budget.Return(batch.ReservedBytes);
    }
}
