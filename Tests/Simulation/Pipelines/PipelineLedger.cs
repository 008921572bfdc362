using OrleansLog.Simulation.Checking;
using OrleansLog.Simulation.Coordinators;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation.Pipelines;

/// <summary>What the members and readers of a pipeline do and see.</summary>
public sealed class PipelineLedger
{
    public const int LastStage = 1;

    private readonly TransactionHistory _history = new();
    private readonly Dictionary<long, TransactionOutcome> _outcomes = [];
    private readonly HashSet<long> _fed = [];
    private readonly HashSet<long> _finished = [];
    private readonly List<PipelineEntry> _passed = [];
    private long _lastId;

    public long NewId() => ++_lastId;

    /// <summary>Items that were acknowledged and that no reader of committed records has seen pass the last stage.</summary>
    public int UnfinishedCount => _fed.Count(item => !_finished.Contains(item));

    public int FedCount => _fed.Count;

    public int CommittedCount => _outcomes.Values.Count(outcome => outcome == TransactionOutcome.Committed);

    /// <summary>An item was acknowledged.</summary>
    public void Fed(long item) => _fed.Add(item);

    /// <summary>A transaction has consumed entries: what it is to write, and where.</summary>
    public List<(string Topic, PipelineEntry Entry)> Advance(long transaction, IReadOnlyCollection<PipelineEntry> consumed)
    {
        List<(string Topic, PipelineEntry Entry)> written =
        [
            .. consumed.Select(entry => (SimCluster.Partition.Topic, entry with { Id = NewId() })),
            .. consumed.Where(entry => entry.Stage < LastStage).Select(entry => (SimTopic.Stages, entry with { Id = NewId(), Stage = entry.Stage + 1 })),
        ];
        foreach (var entry in consumed) _history.Consumed(transaction, entry.Id);
        foreach (var (_, entry) in written) _history.Wrote(transaction, entry.Id);
        // What nobody ever tries to commit is aborted.
        Ended(transaction, TransactionOutcome.Aborted);
        return written;
    }

    public void Ended(long transaction, TransactionOutcome outcome)
    {
        _history.Ended(transaction, outcome);
        _outcomes[transaction] = outcome;
    }

    /// <summary>A reader of committed records got an entry out of the pipeline.</summary>
    public void Polled(PipelineEntry entry)
    {
        _history.Polled(entry.Id);
        if (entry.Stage == LastStage) _finished.Add(entry.Item);
    }

    /// <summary>What is wrong, given all that is there in the end; null for nothing.</summary>
    public string? Judge(IEnumerable<PipelineEntry> staged, IEnumerable<PipelineEntry> passed)
    {
        _passed.AddRange(passed);
        foreach (var entry in staged.Concat(_passed)) _history.IsThereInTheEnd(entry.Id);
        return (_history.FindAnomalies() is [var first, ..] ? first.ToString() : null) ?? Repeated() ?? Missing();
    }

    public override string ToString() =>
        $"{_fed.Count} items, {UnfinishedCount} unfinished; transactions: {string.Join(", ", _outcomes.CountBy(each => each.Value).Select(count => $"{count.Value} {count.Key}"))}";

    private string? Repeated() =>
        _passed.GroupBy(entry => (entry.Item, entry.Stage)).FirstOrDefault(group => group.Count() > 1) is { } twice
            ? $"item {twice.Key.Item} has passed stage {twice.Key.Stage} {twice.Count()} times"
            : null;

    private string? Missing() =>
        (from item in _fed
         from stage in Enumerable.Range(0, LastStage + 1)
         where !_passed.Exists(entry => entry.Item == item && entry.Stage == stage)
         select $"item {item} has not passed stage {stage}").FirstOrDefault();
}
