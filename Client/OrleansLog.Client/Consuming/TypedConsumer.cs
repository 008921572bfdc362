namespace OrleansLog.Client;

/// <summary>A <see cref="Consumer"/> that also reads record by record, as keys and values.</summary>
public sealed partial class Consumer<TKey, TValue> : Consumer
{
    /// <summary>
    /// Reads records in the order of each partition. Ends only by cancellation
    /// (<see cref="OperationCanceledException"/>) or error.
    /// </summary>
    public IAsyncEnumerable<ConsumedRecord<TKey, TValue>> ConsumeAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();
}
