using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Simulation.Checking;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>
/// One incarnation of a member of the pipeline's group: a consumer and a transactional producer, which together pass on what was
/// read. It writes down what it does before it does it.
/// </summary>
internal sealed class PipelineMember : IAsyncDisposable
{
    private readonly PipelineLedger _ledger;
    private readonly Producer _producer;
    private readonly Consumer _consumer;
    private Transaction? _open;
    private long _openId;

    public PipelineMember(OrleansLogClient client, int id, PipelineLedger ledger)
    {
        _ledger = ledger;
        _producer = client.CreateProducer(new ProducerOptions { TransactionalId = $"member-{id}", RequestTimeoutMs = 3_000 });
        _consumer = client.CreateConsumer(PipelineWorkload.Committed with { GroupId = "pipeline" });
        _consumer.Subscribe(PipelineWorkload.Stages);
    }

    /// <summary>Takes over from the incarnation before, whose open transaction is aborted by that.</summary>
    public Task TakeOverAsync() => _producer.InitTransactionsAsync();

    public IAsyncEnumerable<FetchedBatch> ReadAsync(CancellationToken cancellationToken) => _consumer.ConsumeBatchesAsync(cancellationToken);

    /// <summary>Begins a transaction and puts into it all that was read: what becomes of it, and the positions.</summary>
    public async Task PassOnAsync(FetchedBatch batch)
    {
        (_open, _openId) = (_producer.BeginTransaction(), _ledger.NewId());
        foreach (var (topic, entry) in _ledger.Advance(_openId, Entries(batch)))
            await _producer.PostAsync(topic, entry.ToRecord(PipelineWorkload.Partitions));
        await _open.SendOffsetsAsync(_consumer.Positions, _consumer.GroupMetadata);
    }

    /// <summary>Commits. Once this was asked for it may be committed, whatever comes of it.</summary>
    public async Task CommitAsync()
    {
        _ledger.Ended(_openId, TransactionOutcome.Unknown);
        await _open!.CommitAsync();
        _ledger.Ended(_openId, TransactionOutcome.Committed);
    }

    /// <summary>Aborts, and reads again what the transaction was made of.</summary>
    public async Task AbortAsync()
    {
        await _open!.AbortAsync();
        _consumer.SeekToCommitted();
    }

    /// <summary>Leaves the group with the transaction open, as one does that is taken for dead.</summary>
    public ValueTask ForsakeAsync() => _consumer.DisposeAsync();

    /// <summary>What one does that was taken for dead and was not: it must learn of its successor.</summary>
    /// <exception cref="InvalidOperationException">It was let commit.</exception>
    public async Task CommitTooLateAsync()
    {
        try
        {
            await CommitAsync();
        }
        catch (OrleansLogException e) when (e.ErrorCode is ErrorCode.ProducerFenced or ErrorCode.InvalidProducerEpoch)
        {
            _ledger.Ended(_openId, TransactionOutcome.Aborted);
            return;
        }
        throw new InvalidOperationException("A producer committed after another one had taken over from it.");
    }

    public async ValueTask DisposeAsync()
    {
        await _consumer.DisposeAsync();
        if (_open is not null) await _open.DisposeAsync();
        await _producer.DisposeAsync();
    }

    private static List<PipelineEntry> Entries(FetchedBatch batch)
    {
        var entries = new List<PipelineEntry>();
        foreach (var record in batch) entries.Add(PipelineEntry.Parse(record.Value));
        return entries;
    }
}
