using System.Globalization;
using OrleansLog.Protocol;

namespace OrleansLog.Simulation.Checking;

/// <summary>
/// What clients of one partition saw, in the order in which they saw it, and what became committed meanwhile. Values are
/// sent once each. <see cref="FindAnomalies"/> names what is wrong in it.
/// </summary>
public sealed class History
{
    private readonly List<HistoryEvent> _events = [];

    public IReadOnlyList<HistoryEvent> Events => _events;

    /// <summary>A producer was told that its value is safe, at an offset. In the order of its sends.</summary>
    public void Acknowledged(int producer, Offset offset, long value, LeaderEpoch branch = default) =>
        _events.Add(new(HistoryEventKind.Acknowledged, producer, offset, value, branch));

    /// <summary>A value became committed.</summary>
    public void Committed(Offset offset, long value, LeaderEpoch branch = default) =>
        _events.Add(new(HistoryEventKind.Committed, 0, offset, value, branch));

    /// <summary>A consumer got a record.</summary>
    public void Polled(int consumer, Offset offset, long value, LeaderEpoch branch = default) =>
        _events.Add(new(HistoryEventKind.Polled, consumer, offset, value, branch));

    /// <summary>A consumer was told that what it got from an offset on is not in the log any more, and goes on there.</summary>
    public void SetBack(int consumer, Offset to, LeaderEpoch branch) => _events.Add(new(HistoryEventKind.SetBack, consumer, to, 0, branch));

    /// <summary>Somebody asked for the records before an offset to be deleted.</summary>
    public void Deleted(Offset before, LeaderEpoch branch = default) => _events.Add(new(HistoryEventKind.Deleted, 0, before, 0, branch));

    /// <summary>
    /// An unclean election: the events of <paramref name="branch"/> see those of <paramref name="parent"/> before an offset,
    /// and nothing else of them.
    /// </summary>
    public void Forked(LeaderEpoch branch, LeaderEpoch parent, Offset at) => _events.Add(new(HistoryEventKind.Forked, 0, at, parent.Value, branch));

    /// <summary>What is wrong, the first of each kind for each value or offset, in the order in which it was seen.</summary>
    public IEnumerable<Anomaly> FindAnomalies() => new AnomalyFinder().Find(_events);
}

public enum HistoryEventKind
{
    Acknowledged,
    Committed,
    Polled,
    SetBack,
    Deleted,
    Forked,
}

public readonly record struct HistoryEvent(HistoryEventKind Kind, int Who, Offset Offset, long Value, LeaderEpoch Branch);

/// <summary>
/// The anomalies of Jepsen's Kafka workload, by its names (https://github.com/jepsen-io/redpanda,
/// https://jepsen.io/analyses/redpanda-21.10.1), those of one partition and those of transactions.
/// </summary>
public enum AnomalyKind
{
    /// <summary>A value was acknowledged, nobody got it, and somebody got a later one.</summary>
    LostWrite,

    /// <summary>A consumer got a value before it was committed.</summary>
    PrecommittedRead,

    /// <summary>One offset has had two values.</summary>
    InconsistentOffsets,

    /// <summary>One value has had two offsets.</summary>
    Duplicate,

    /// <summary>Of two values of one producer the later one has the lower offset.</summary>
    NonMonotonicSend,

    /// <summary>A consumer got an offset after a higher one, or twice.</summary>
    NonMonotonicPoll,

    /// <summary>A consumer got an offset and then one further on, and there is one between them.</summary>
    PollSkip,

    /// <summary>A value was acknowledged, and until the end nobody got it.</summary>
    Unseen,

    /// <summary>A reader of committed records got what was aborted.</summary>
    AbortedRead,

    /// <summary>Of what a transaction wrote, a part is there and a part is not.</summary>
    TornTransaction,

    /// <summary>Two transactions that count have consumed the same record.</summary>
    ConsumedTwice,

    /// <summary>A transaction has consumed what was made of its own output (G1c in Adya's "Weak Consistency", 1999).</summary>
    Cycle,
}

/// <summary>One anomaly, and what shows it.</summary>
public sealed record Anomaly(AnomalyKind Kind, string Message)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind}: {Message}");
}
