using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Simulation.Applications;
using OrleansLog.Simulation.Coordinators;
using OrleansLog.Simulation.Running;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation.Pipelines;

/// <summary>
/// Items that go through a pipeline: members of one group consume each from a topic and write it to another one, and one stage
/// further to the same one, in a transaction with their positions. Members are killed, stand still until they are taken for
/// dead, and are replaced while they live. Each item must pass each stage once.
/// </summary>
public sealed class Pipeline
{
    private const int Members = 2;
    private const int FirstPlace = 300;

    private readonly SimCluster _cluster;
    private readonly SimRandom _random;
    private readonly PipelineMistake _mistake;
    private readonly GroupProtocol _protocol;
    private readonly SimApplication[] _members = new SimApplication[Members];
    private readonly List<SimApplication> _all = [];
    private readonly SimApplication _feeder;
    private readonly SimApplication _reader;
    private SimApplication? _judge;
    private int _places = FirstPlace;
    private bool _isOver;
    private bool _isStopping;

    public Pipeline(SimCluster cluster, PipelineMistake mistake)
    {
        (_cluster, _random, _mistake) = (cluster, cluster.Random, mistake);
        _protocol = _random.Chance(0.5) ? GroupProtocol.Consumer : GroupProtocol.Classic;
        (_feeder, _reader) = (NewApplication(), NewApplication());
    }

    public PipelineLedger Ledger { get; } = new();

    /// <summary>Whether every item has gone through, and nobody is left who could write.</summary>
    public bool HasEnded => _isOver && Ledger.UnfinishedCount == 0 && _feeder.HasEnded;

    /// <summary>Whether all is judged.</summary>
    public bool IsJudged => _judge?.HasEnded == true;

    /// <summary>What is wrong with what is there in the end; null for nothing.</summary>
    public string? Verdict { get; private set; }

    /// <summary>Why an application ended that should not have; null if none did.</summary>
    public Exception? Failure => _all.Find(application => application.Failure is not null)?.Failure;

    public void Begin()
    {
        _feeder.Begin(FeedAsync);
        _reader.Begin(ReadAsync);
        for (var id = 0; id < Members; id++) Replace(id);
        Trouble();
    }

    /// <summary>Members are troubled no more, and nothing new is fed.</summary>
    public void EndTrouble()
    {
        _isOver = true;
        _feeder.Stop();
        foreach (var application in _all) application.Resume();
    }

    /// <summary>The members and the reader come to an end.</summary>
    public void Stop()
    {
        _isStopping = true;
        foreach (var application in _all) application.Stop();
    }

    /// <summary>Whether nobody reads or writes any more.</summary>
    public bool HasStopped => _all.TrueForAll(application => application.HasEnded);

    /// <summary>All that is there is read once more.</summary>
    public void Judge()
    {
        _judge = NewApplication();
        _judge.Begin(JudgeAsync);
    }

    public override string ToString() => $"{_protocol}: {Ledger}";

    private SimApplication NewApplication()
    {
        var application = new SimApplication(_cluster, _places++);
        _all.Add(application);
        return application;
    }

    private void Replace(int id)
    {
        if (_members[id] is { } before) before.IsReplaced = true;
        var application = _members[id] = NewApplication();
        application.Trace($"is member {id}");
        application.Begin(_ => new PipelineMember(application, id, Ledger, _mistake, _protocol).RunAsync());
    }

    private void Trouble() => _cluster.Scheduler.After(_random.Between(200, 2_500) * 1000, () =>
    {
        if (_isOver) return;
        Strike(_random.Below(Members));
        Trouble();
    });

    private void Strike(int id)
    {
        var member = _members[id];
        switch (_random.Below(4))
        {
            case 0:
                member.Trace("is killed");
                member.Kill();
                _cluster.Scheduler.After(_random.Between(1, 2_000) * 1000, () => ReplaceIfStill(member, id));
                break;
            case 1:
                member.Trace("stands still");
                member.Pause();
                _cluster.Scheduler.After(_random.Between(100, 6_000) * 1000, member.Resume);
                break;
            case 2:
                member.Trace("stands still and is replaced");
                member.Pause();
                _cluster.Scheduler.After(_random.Between(1, 1_000) * 1000, () => ReplaceIfStill(member, id));
                _cluster.Scheduler.After(_random.Between(1, 6_000) * 1000, member.Resume);
                break;
            default:
                member.Trace("is replaced");
                member.Stop();
                Replace(id);
                break;
        }
    }

    private void ReplaceIfStill(SimApplication member, int id)
    {
        if (_members[id] == member && !_isStopping) Replace(id);
    }

    private async Task FeedAsync(SimApplication application)
    {
        await using var client = application.CreateClient(PipelineMember.Patience);
        await using var producer = client.CreateProducer(new ProducerOptions { RequestTimeoutMs = 1_000 });
        while (!application.Stopping.IsCancellationRequested)
        {
            var entry = new PipelineEntry(Ledger.NewId(), Ledger.NewId(), 0);
            await producer.ProduceAsync(SimTopic.Stages, entry.ToRecord(2));
            Ledger.Fed(entry.Item);
            await Task.Delay(TimeSpan.FromMilliseconds(50 + _random.Below(250)), application.Time);
        }
    }

    private async Task ReadAsync(SimApplication application)
    {
        await using var client = application.CreateClient(PipelineMember.Patience);
        await using var consumer = client.CreateConsumer(PipelineMember.Committed);
        consumer.Assign([SimCluster.Partition]);
        try
        {
            await foreach (var batch in consumer.ConsumeBatchesAsync(application.Stopping))
                foreach (var record in batch) Ledger.Polled(PipelineEntry.Parse(record.Value));
        }
        catch (OperationCanceledException)
        {
            // It has seen enough.
        }
    }

    private async Task JudgeAsync(SimApplication application)
    {
        await using var client = application.CreateClient(PipelineMember.Patience);
        var staged = await ReadToTheEndAsync(client, SimTopic.Stages, 2);
        Verdict = Ledger.Judge(staged, await ReadToTheEndAsync(client, SimCluster.Partition.Topic, 1));
    }

    // Up to a last record in each partition, which says that there is no more.
    private async Task<List<PipelineEntry>> ReadToTheEndAsync(OrleansLogClient client, string topic, int partitions)
    {
        var last = new PipelineEntry(Ledger.NewId(), 0, 0);
        await using (var producer = client.CreateProducer(new ProducerOptions { RequestTimeoutMs = 1_000 }))
        {
            for (var partition = 0; partition < partitions; partition++)
                await producer.ProduceAsync(topic, last.ToRecord(partitions) with { Partition = partition });
        }

        var (entries, ended) = (new List<PipelineEntry>(), 0);
        await using var consumer = client.CreateConsumer(PipelineMember.Committed);
        consumer.Assign(Enumerable.Range(0, partitions).Select(index => new TopicPartition(topic, index)));
        await foreach (var batch in consumer.ConsumeBatchesAsync())
        {
            foreach (var record in batch)
            {
                var entry = PipelineEntry.Parse(record.Value);
                if (entry == last) ended++;
                else entries.Add(entry);
            }

            if (ended == partitions) break;
        }

        return entries;
    }
}
