using OrleansLog.Simulation.Checking;

namespace OrleansLog.Simulation;

/// <summary>Feeds bad histories of transactions to their checker: it names each for what it is, and nothing else.</summary>
public sealed class TransactionHistoryTests
{
    private readonly TransactionHistory _history = new();

    [Fact]
    public void A_good_history_has_no_anomalies()
    {
        IsThere(1, 2);
        Transaction(1, TransactionOutcome.Committed, consumed: [1, 2], written: [10, 11]);
        Transaction(2, TransactionOutcome.Aborted, consumed: [10, 11], written: [20, 21]);
        Transaction(3, TransactionOutcome.Unknown, consumed: [10, 11], written: [30, 31]);
        Transaction(4, TransactionOutcome.Unknown, consumed: [10, 11], written: [40, 41]);
        Transaction(5, TransactionOutcome.Committed, consumed: [40], written: []);
        IsThere(10, 11, 40, 41);
        _history.Polled(1);
        _history.Polled(41);
        Assert.Empty(_history.FindAnomalies());
    }

    [Fact]
    public void An_aborted_read_is_named()
    {
        Transaction(1, TransactionOutcome.Aborted, consumed: [], written: [10]);
        _history.Polled(10);
        Named(AnomalyKind.AbortedRead);
    }

    [Fact]
    public void Consuming_what_is_aborted_is_named()
    {
        Transaction(1, TransactionOutcome.Unknown, consumed: [], written: [10]);
        Transaction(2, TransactionOutcome.Unknown, consumed: [10], written: []);
        Named(AnomalyKind.AbortedRead);
    }

    [Fact]
    public void What_was_aborted_and_is_there_in_the_end_is_named()
    {
        Transaction(1, TransactionOutcome.Aborted, consumed: [], written: [10]);
        IsThere(10);
        Named(AnomalyKind.AbortedRead);
    }

    [Theory]
    [InlineData(TransactionOutcome.Committed)]
    [InlineData(TransactionOutcome.Unknown)]
    public void A_torn_transaction_is_named(TransactionOutcome outcome)
    {
        Transaction(1, outcome, consumed: [], written: [10, 11]);
        IsThere(11);
        Named(AnomalyKind.TornTransaction);
    }

    [Fact]
    public void A_committed_transaction_that_is_not_there_is_named()
    {
        Transaction(1, TransactionOutcome.Committed, consumed: [], written: [10, 11]);
        Named(AnomalyKind.LostWrite);
    }

    [Fact]
    public void A_value_that_is_there_twice_is_named()
    {
        Transaction(1, TransactionOutcome.Committed, consumed: [], written: [10]);
        IsThere(10, 10);
        Named(AnomalyKind.Duplicate);
    }

    [Fact]
    public void A_record_that_two_transactions_consumed_is_named()
    {
        IsThere(1, 10);
        Transaction(1, TransactionOutcome.Committed, consumed: [1], written: []);
        Transaction(2, TransactionOutcome.Unknown, consumed: [1], written: [10]);
        Named(AnomalyKind.ConsumedTwice);
    }

    [Fact]
    public void A_cycle_is_named()
    {
        Transaction(1, TransactionOutcome.Committed, consumed: [30], written: [10]);
        Transaction(2, TransactionOutcome.Committed, consumed: [10], written: [20]);
        Transaction(3, TransactionOutcome.Committed, consumed: [20], written: [30]);
        IsThere(10, 20, 30);
        Named(AnomalyKind.Cycle);
    }

    private void Transaction(long id, TransactionOutcome outcome, long[] consumed, long[] written)
    {
        foreach (var value in consumed) _history.Consumed(id, value);
        foreach (var value in written) _history.Wrote(id, value);
        _history.Ended(id, outcome);
    }

    private void IsThere(params long[] values)
    {
        foreach (var value in values) _history.IsThereInTheEnd(value);
    }

    private void Named(AnomalyKind kind) => Assert.Equal([kind], _history.FindAnomalies().Select(anomaly => anomaly.Kind));
}
