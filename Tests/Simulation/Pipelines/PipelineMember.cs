using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Simulation.Applications;
using OrleansLog.Simulation.Checking;
using OrleansLog.Simulation.Coordinators;
using OrleansLog.Simulation.Running;

namespace OrleansLog.Simulation.Pipelines;

/// <summary>
/// A member of the pipeline's group with the real client: passes on what it reads, in transactions with its positions. It writes
/// down what it does before it does it, and begins anew when anything fails.
/// </summary>
internal sealed class PipelineMember(SimApplication application, int id, PipelineLedger ledger, PipelineMistake mistake, GroupProtocol protocol)
{
    private const string Group = "pipeline";

    private readonly SimRandom _random = application.Cluster.Random;

    /// <summary>Lives until it is told to stop, or another one has taken its place.</summary>
    public async Task RunAsync()
    {
        while (!application.Stopping.IsCancellationRequested && !application.IsReplaced)
        {
            try
            {
                await LiveAsync();
            }
            catch (OperationCanceledException) when (application.Stopping.IsCancellationRequested)
            {
                return;
            }
            catch (OrleansLogException failure)
            {
                application.Trace($"begins anew: {failure.Message}");
                await Task.Delay(TimeSpan.FromMilliseconds(50 + _random.Below(200)), application.Time);
            }
        }
    }

    private async Task LiveAsync()
    {
        await using var client = application.CreateClient(Patience);
        await using var producer = client.CreateProducer(new ProducerOptions
        {
            TransactionalId = $"member-{id}",
            TransactionTimeoutMs = 4_000,
            RequestTimeoutMs = 1_000,
            DeliveryTimeoutMs = 5_000,
            BlockMsMax = 5_000,
        });
        await producer.InitTransactionsAsync(application.Stopping);
        await using var consumer = client.CreateConsumer(Committed with
        {
            GroupId = Group,
            Protocol = protocol,
            SessionTimeoutMs = 2_500,
            HeartbeatIntervalMs = 300,
            // So long may a coordinator keep a member waiting, and so long does one wait for a coordinator whose power has failed.
            PollIntervalMsMax = 20_000,
            IsolationLevel = mistake == PipelineMistake.ReadsUncommitted ? IsolationLevel.ReadUncommitted : IsolationLevel.ReadCommitted,
        });
        consumer.Subscribe(SimTopic.Stages);
        await foreach (var batch in consumer.ConsumeBatchesAsync(application.Stopping))
        {
            var entries = new List<PipelineEntry>();
            foreach (var record in batch) entries.Add(PipelineEntry.Parse(record.Value));
            if (entries.Count > 0) await PassOnAsync(producer, consumer, entries);
        }
    }

    private async Task PassOnAsync(Producer producer, Consumer consumer, List<PipelineEntry> entries)
    {
        var transactionId = ledger.NewId();
        await using var transaction = producer.BeginTransaction();
        foreach (var (topic, entry) in ledger.Advance(transactionId, entries))
        {
            await producer.PostAsync(topic, entry.ToRecord(topic == SimTopic.Stages ? 2 : 1));
            await PauseAsync();
        }

        if (mistake == PipelineMistake.PositionsOutside) await consumer.CommitAsync();
        else await transaction.SendOffsetsAsync(consumer.Positions, consumer.GroupMetadata);
        await PauseAsync();
        if (_random.Chance(0.15))
        {
            application.Trace($"aborts {transactionId}");
            await transaction.AbortAsync();
            consumer.SeekToCommitted();
            return;
        }

        application.Trace($"commits {transactionId}: {string.Join(' ', entries.Select(entry => entry.Id))}");
        // Once this was asked for it may be committed, whatever comes of it.
        ledger.Ended(transactionId, TransactionOutcome.Unknown);
        await transaction.CommitAsync();
        ledger.Ended(transactionId, TransactionOutcome.Committed);
        application.Trace($"committed {transactionId}");
    }

    private Task PauseAsync() => _random.Chance(0.3) ? Task.Delay(TimeSpan.FromMilliseconds(_random.Below(100)), application.Time) : Task.CompletedTask;

    public static ClientOptions Patience { get; } = new() { RequestTimeoutMs = 1_000, OperationTimeoutMs = 8_000, RetryBackoffMsMax = 300 };

    public static ConsumerOptions Committed { get; } = new()
    {
        IsolationLevel = IsolationLevel.ReadCommitted,
        OffsetReset = OffsetReset.Earliest,
        Commit = CommitMode.Manual,
        FetchWaitMsMax = 200,
    };
}
