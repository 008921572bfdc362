using OrleansLog.Client;
using OrleansLog.ClusterTests.Support;
using OrleansLog.Protocol;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>
/// Items that go through a pipeline: members of one group consume each from a topic and write it, one stage further, to the same
/// topic, and to another one, in a transaction with their positions. Now and then a transaction is aborted, or left open by a
/// member that is taken for dead and comes back after its successor. Each item must pass each stage once.
/// </summary>
internal sealed class PipelineWorkload : IWorkload
{
    public const string Stages = "stages";
    public const string Passed = "passed";
    public const int Partitions = 3;
    public const int LastStage = 3;
    public const int Readers = 2;
    private const int Members = 2;
    private const int UnfinishedMax = 200;
    private static readonly Dictionary<string, string> Configs = new() { ["min.insync.replicas"] = "2" };

    private readonly CancellationTokenSource _stopFeeding = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly PipelineLedger _ledger = new();
    private IReadOnlyList<OrleansLogClient> _clients = [];
    private Task[] _tasks = [];
    private Task _feeding = Task.CompletedTask;

    public static ConsumerOptions Committed { get; } = new()
    {
        IsolationLevel = IsolationLevel.ReadCommitted,
        OffsetReset = OffsetReset.Earliest,
        Commit = CommitMode.Manual,
        FetchWaitMsMax = 100,
    };

    public IReadOnlyList<NewTopic> Topics { get; } =
        [new NewTopic(Stages, Partitions, ReplicationFactor: 3) { Configs = Configs }, new NewTopic(Passed, Partitions, ReplicationFactor: 3) { Configs = Configs }];

    public void Start(IReadOnlyList<OrleansLogClient> clients)
    {
        _clients = clients;
        _feeding = Task.Run(FeedAsync);
        _tasks =
        [
            .. Enumerable.Range(0, Members).Select(id => Task.Run(() => TakePartAsync(id))),
            .. Enumerable.Range(0, Readers).Select(id => Task.Run(() => ReadAsync(id))),
        ];
    }

    public int FewestSince(DateTimeOffset moment) => _ledger.FewestSince(moment);

    public long LongestGap(DateTimeOffset from, DateTimeOffset to) => _ledger.LongestGap(from, to);

    public string Describe(DateTimeOffset since) => _ledger.Describe(since);

    public async Task<IReadOnlyList<string>> JudgeAsync(ITestOutputHelper output)
    {
        await _stopFeeding.CancelAsync();
        await _feeding;
        await Eventually.TrueAsync(
            () => _ledger.UnfinishedCount == 0, "every item has passed all stages", () => Task.FromResult(Describe(DateTimeOffset.UnixEpoch)));
        await _stop.CancelAsync();
        await Task.WhenAll(_tasks);
        output.WriteLine($"{_ledger}.");
        return _ledger.Judge([.. await ReadToTheEndAsync(Stages), .. await ReadToTheEndAsync(Passed)]);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopFeeding.CancelAsync();
        await _stop.CancelAsync();
        await Task.WhenAll([_feeding, .. _tasks]);
        _stopFeeding.Dispose();
        _stop.Dispose();
    }

    private async Task FeedAsync()
    {
        await using var producer = _clients[0].CreateProducer(new ProducerOptions { DeliveryTimeoutMs = 60_000, RequestTimeoutMs = 3_000 });
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (; !_stopFeeding.IsCancellationRequested; await timer.WaitForNextTickAsync())
        {
            if (_ledger.UnfinishedCount >= UnfinishedMax) continue;
            var entry = new PipelineEntry(_ledger.NewId(), _ledger.NewId(), 0);
            try
            {
                await producer.ProduceAsync(Stages, entry.ToRecord(Partitions));
                _ledger.Fed(entry.Item);
            }
            catch (OrleansLogException refused)
            {
                // It goes through the pipeline if it is there for all that, and nobody waits for it.
                _ledger.Note($"item {entry.Item}: {refused.Message}");
            }
        }
    }

    private async Task TakePartAsync(int id)
    {
        var chance = new Random(id);
        PipelineMember? forsaken = null;
        while (!_stop.IsCancellationRequested)
        {
            var member = new PipelineMember(_clients[id % _clients.Count], id, _ledger);
            var before = forsaken;
            forsaken = null;
            try
            {
                if (await LiveAsync(member, before, chance)) forsaken = member;
            }
            catch (OperationCanceledException)
            {
                // All is done.
            }
            catch (OrleansLogException e)
            {
                _ledger.Note($"member {id}: {e.Message}");
            }
            finally
            {
                if (before is not null) await before.DisposeAsync();
                if (forsaken is null) await member.DisposeAsync();
            }
        }
        if (forsaken is not null) await forsaken.DisposeAsync();
    }

    // Whether it is taken for dead, with a transaction open.
    private async Task<bool> LiveAsync(PipelineMember member, PipelineMember? before, Random chance)
    {
        await member.TakeOverAsync();
        if (before is not null) await before.CommitTooLateAsync();
        await foreach (var batch in member.ReadAsync(_stop.Token))
        {
            await member.PassOnAsync(batch);
            switch (chance.Next(30))
            {
                case 0:
                    await member.ForsakeAsync();
                    return true;
                case < 4:
                    await member.AbortAsync();
                    break;
                default:
                    await member.CommitAsync();
                    break;
            }
        }
        return false;
    }

    private async Task ReadAsync(int id)
    {
        await using var consumer = _clients[id % _clients.Count].CreateConsumer(Committed);
        consumer.Assign(PartitionsOf(Passed));
        try
        {
            await foreach (var batch in consumer.ConsumeBatchesAsync(_stop.Token))
            {
                foreach (var record in batch) _ledger.Polled(id, PipelineEntry.Parse(record.Value));
            }
        }
        catch (OperationCanceledException)
        {
            // It has seen enough.
        }
        catch (OrleansLogException e)
        {
            _ledger.Note($"reader {id}: {e.Message}");
        }
    }

    // Up to a last record in each partition, which says that there is no more.
    private async Task<List<PipelineEntry>> ReadToTheEndAsync(string topic)
    {
        var last = new PipelineEntry(_ledger.NewId(), 0, 0);
        await using (var producer = _clients[0].CreateProducer(new ProducerOptions()))
        {
            for (var partition = 0; partition < Partitions; partition++)
                await producer.ProduceAsync(topic, last.ToRecord(Partitions) with { Partition = partition });
        }
        var (entries, ended) = (new List<PipelineEntry>(), 0);
        await using var consumer = _clients[0].CreateConsumer(Committed);
        consumer.Assign(PartitionsOf(topic));
        await foreach (var batch in consumer.ConsumeBatchesAsync())
        {
            foreach (var record in batch)
            {
                var entry = PipelineEntry.Parse(record.Value);
                if (entry == last) ended++;
                else entries.Add(entry);
            }
            if (ended == Partitions) break;
        }
        return entries;
    }

    private static IEnumerable<TopicPartition> PartitionsOf(string topic) => Enumerable.Range(0, Partitions).Select(index => new TopicPartition(topic, index));
}
