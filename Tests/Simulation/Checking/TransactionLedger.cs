using OrleansLog.Protocol;

namespace OrleansLog.Simulation.Checking;

/// <summary>What became of a transaction.</summary>
public enum Outcome
{
    Open,
    Committed,
    Aborted,
}

/// <summary>One transaction and the numbers that it wrote.</summary>
public sealed class SimTransaction
{
    public Outcome Outcome { get; set; }

    public List<long> Values { get; } = [];
}

/// <summary>Which transaction each number belongs to, and what a reader of committed records has seen of them.</summary>
public sealed class TransactionLedger
{
    private readonly Dictionary<long, SimTransaction> _byValue = [];
    private readonly HashSet<long> _seen = [];

    public void Write(SimTransaction transaction, long value)
    {
        transaction.Values.Add(value);
        _byValue.Add(value, transaction);
    }

    /// <summary>A reader of committed records got a number; says what is wrong with that, if anything is.</summary>
    public string? See(Offset offset, long value)
    {
        if (!_byValue.TryGetValue(value, out var transaction)) return null;
        if (transaction.Outcome != Outcome.Committed) return $"aborted read: {value} at {offset} belongs to a transaction that is {transaction.Outcome}";
        return _seen.Add(value) ? null : $"repeated read: {value} came again at {offset}";
    }

    /// <summary>What is wrong when everything was read.</summary>
    public string? AtEnd() => _byValue.FirstOrDefault(pair => pair.Value.Outcome == Outcome.Committed && !_seen.Contains(pair.Key)) is { Value: not null } missing
        ? $"torn transaction: {missing.Key} was committed and never read; of its transaction {missing.Value.Values.Count(_seen.Contains)} of {missing.Value.Values.Count} were"
        : null;
}

/// <summary>
/// No leader that knows the high watermark shows a smaller last stable offset than any has shown before, and none one beyond
/// its high watermark.
/// </summary>
public sealed class LastStableOffsetInvariant() : Checker("11 last stable offset")
{
    private Offset _last;

    public override void AfterEvent()
    {
        foreach (var broker in Cluster.Brokers)
        {
            if (broker.Process is null || broker.Replica is not { IsFailed: false, Leading: { } leading } replica) continue;
            if (leading.Epoch != Cluster.PeekPartition()?.Record.LeaderEpoch) continue;
            var stable = replica.LastStableOffset;
            Require(stable <= leading.HighWatermark, $"broker {broker.Id}: {stable} is beyond the high watermark {leading.HighWatermark}");
            // Who has a marker damaged does not know how that transaction has ended.
            if (!leading.KnowsHighWatermark || replica.Log.FirstRefusedOffset is not null) continue;
            Require(stable >= _last, $"broker {broker.Id} shows {stable}, and {_last} was shown before");
            _last = Offset.Max(_last, stable);
        }
    }
}
