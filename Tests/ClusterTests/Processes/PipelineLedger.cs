using OrleansLog.Simulation.Checking;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>What the pipeline's members and readers do and see. Any thread.</summary>
internal sealed class PipelineLedger
{
    private readonly Lock _gate = new();
    private readonly TransactionHistory _history = new();
    private readonly Dictionary<long, TransactionOutcome> _outcomes = [];
    private readonly HashSet<long> _fed = [];
    private readonly HashSet<long>[] _finished = [.. Enumerable.Range(0, PipelineWorkload.Readers).Select(_ => new HashSet<long>())];
    private readonly Timeline[] _progress = [.. Enumerable.Range(0, PipelineWorkload.Readers).Select(_ => new Timeline())];
    private readonly List<string> _problems = [];
    private long _lastId;

    public long NewId() => Interlocked.Increment(ref _lastId);

    /// <summary>An item was acknowledged.</summary>
    public void Fed(long item)
    {
        lock (_gate) _fed.Add(item);
    }

    /// <summary>How many items have been fed and not finished, for the reader who has seen fewest.</summary>
    public int UnfinishedCount
    {
        get
        {
            lock (_gate) return _finished.Max(finished => _fed.Count(item => !finished.Contains(item)));
        }
    }

    /// <summary>A transaction has consumed entries: what it is to write, and where.</summary>
    public List<(string Topic, PipelineEntry Entry)> Advance(long transaction, List<PipelineEntry> consumed)
    {
        List<(string Topic, PipelineEntry Entry)> written =
        [
            .. consumed.Select(entry => (PipelineWorkload.Passed, entry with { Id = NewId() })),
            .. consumed.Where(entry => entry.Stage < PipelineWorkload.LastStage).Select(entry => (PipelineWorkload.Stages, entry with { Id = NewId(), Stage = entry.Stage + 1 })),
        ];
        lock (_gate)
        {
            foreach (var entry in consumed) _history.Consumed(transaction, entry.Id);
            foreach (var (_, entry) in written) _history.Wrote(transaction, entry.Id);
        }
        // What nobody ever tries to commit is aborted.
        Ended(transaction, TransactionOutcome.Aborted);
        return written;
    }

    public void Ended(long transaction, TransactionOutcome outcome)
    {
        lock (_gate)
        {
            _history.Ended(transaction, outcome);
            _outcomes[transaction] = outcome;
        }
    }

    public void Polled(int reader, PipelineEntry entry)
    {
        lock (_gate)
        {
            _history.Polled(entry.Id);
            _progress[reader].Add();
            if (entry.Stage == PipelineWorkload.LastStage) _finished[reader].Add(entry.Item);
        }
    }

    public void Note(string problem)
    {
        lock (_gate) _problems.Add($"{DateTimeOffset.UtcNow:HH:mm:ss.fff} {problem}");
    }

    public int FewestSince(DateTimeOffset moment)
    {
        lock (_gate) return _progress.Min(reader => reader.CountSince(moment));
    }

    public long LongestGap(DateTimeOffset from, DateTimeOffset to)
    {
        lock (_gate) return _progress.Max(reader => reader.LongestGap(from, to));
    }

    public string Describe(DateTimeOffset since)
    {
        lock (_gate)
        {
            var seen = _progress.Index().Select(reader => $"reader {reader.Index} has seen {reader.Item.CountSince(since)} since; {_finished[reader.Index].Count} finished, {_fed.Count} fed");
            return string.Join(Environment.NewLine, seen.Concat(_problems.TakeLast(20)));
        }
    }

    /// <summary>What is wrong, given all that is there in the end.</summary>
    public IReadOnlyList<string> Judge(IReadOnlyList<PipelineEntry> inTheEnd)
    {
        lock (_gate)
        {
            foreach (var entry in inTheEnd) _history.IsThereInTheEnd(entry.Id);
            return [.. _history.FindAnomalies().Select(anomaly => anomaly.ToString())];
        }
    }

    public override string ToString()
    {
        lock (_gate)
            return $"{_fed.Count} items through {PipelineWorkload.LastStage + 1} stages; transactions: {string.Join(", ", _outcomes.CountBy(each => each.Value).Select(count => $"{count.Value} {count.Key}"))}";
    }
}
