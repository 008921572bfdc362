namespace OrleansLog.Simulation.Checking;

/// <summary>How a transaction ended, as far as its writer was told.</summary>
public enum TransactionOutcome
{
    /// <summary>No word came: it may be either.</summary>
    Unknown,

    Committed,

    Aborted,
}

/// <summary>
/// What transactions consumed and wrote, how they ended, what readers of committed records saw meanwhile, and what is there in
/// the end. Each write has a value of its own, also that of a second attempt. One thread at a time.
/// </summary>
public sealed class TransactionHistory
{
    private readonly Dictionary<long, Transaction> _transactions = [];
    private readonly Dictionary<long, Transaction> _writers = [];
    private readonly List<long> _polled = [];
    private readonly List<long> _inTheEnd = [];

    /// <summary>A transaction consumed a value: its position moves past it if the transaction is committed.</summary>
    public void Consumed(long transaction, long value) => Of(transaction).Consumed.Add(value);

    /// <summary>A transaction is about to write a value.</summary>
    public void Wrote(long transaction, long value)
    {
        Of(transaction).Written.Add(value);
        _writers.Add(value, Of(transaction));
    }

    public void Ended(long transaction, TransactionOutcome outcome) => Of(transaction).Outcome = outcome;

    /// <summary>A reader of committed records got a value, of a transaction or not.</summary>
    public void Polled(long value) => _polled.Add(value);

    /// <summary>A reader of committed records, who began at the beginning when all was over, got a value.</summary>
    public void IsThereInTheEnd(long value) => _inTheEnd.Add(value);

    /// <summary>What is wrong. See <see cref="AnomalyKind"/>.</summary>
    public IReadOnlyList<Anomaly> FindAnomalies()
    {
        var there = _inTheEnd.ToHashSet();
        var effective = _transactions.Values.Where(each => each.Outcome == TransactionOutcome.Committed || each.Written.Exists(there.Contains)).ToList();
        return [.. AbortedReads(there), .. Duplicates(), .. Torn(effective, there), .. ConsumedTwice(effective), .. Cycles(effective)];
    }

    // What was read and is not there in the end can only have been of a transaction that did not count.
    private IEnumerable<Anomaly> AbortedReads(HashSet<long> there) =>
        _polled.Concat(_transactions.Values.SelectMany(each => each.Consumed)).Concat(_inTheEnd).Distinct()
            .Where(value => !there.Contains(value) || _writers.GetValueOrDefault(value)?.Outcome == TransactionOutcome.Aborted)
            .Select(value => new Anomaly(AnomalyKind.AbortedRead, $"value {value} of transaction {_writers.GetValueOrDefault(value)?.Id} was read"));

    private IEnumerable<Anomaly> Duplicates() =>
        _inTheEnd.CountBy(value => value).Where(count => count.Value > 1)
            .Select(count => new Anomaly(AnomalyKind.Duplicate, $"value {count.Key} is there {count.Value} times"));

    private static IEnumerable<Anomaly> Torn(List<Transaction> effective, HashSet<long> there) =>
        from transaction in effective
        let missing = transaction.Written.Where(value => !there.Contains(value)).ToList()
        where missing.Count > 0
        let kind = missing.Count == transaction.Written.Count ? AnomalyKind.LostWrite : AnomalyKind.TornTransaction
        select new Anomaly(kind, $"of the {transaction.Written.Count} values of transaction {transaction.Id} these are missing: {string.Join(' ', missing)}");

    private static IEnumerable<Anomaly> ConsumedTwice(List<Transaction> effective) =>
        from consumed in effective.SelectMany(transaction => transaction.Consumed.Select(value => (value, transaction.Id)))
        group consumed.Id by consumed.value into readers
        where readers.Count() > 1
        select new Anomaly(AnomalyKind.ConsumedTwice, $"value {readers.Key} was consumed by transactions {string.Join(' ', readers)}");

    // Takes away, again and again, who consumed nothing that is left: who remains waits for its own successors.
    private IEnumerable<Anomaly> Cycles(List<Transaction> effective)
    {
        var sources = effective.ToDictionary(
            transaction => transaction,
            transaction => transaction.Consumed.Select(value => _writers.GetValueOrDefault(value)).OfType<Transaction>().ToHashSet());
        for (var first = First(); first.Count > 0; first = First())
        {
            foreach (var transaction in first) sources.Remove(transaction);
        }
        return sources.Count == 0 ? [] : [new Anomaly(AnomalyKind.Cycle, $"transactions {string.Join(' ', sources.Keys.Select(each => each.Id).Order())} consumed what came of themselves")];

        List<Transaction> First() => [.. sources.Where(each => !each.Value.Any(sources.ContainsKey)).Select(each => each.Key)];
    }

    private Transaction Of(long id)
    {
        if (!_transactions.TryGetValue(id, out var transaction)) _transactions[id] = transaction = new(id);
        return transaction;
    }

    private sealed class Transaction(long id)
    {
        public long Id => id;

        public List<long> Consumed { get; } = [];

        public List<long> Written { get; } = [];

        public TransactionOutcome Outcome { get; set; }
    }
}
