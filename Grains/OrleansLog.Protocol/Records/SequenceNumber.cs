namespace OrleansLog.Protocol.Records;

/// <summary>
/// Arithmetic of the numbers that an idempotent producer gives its records in each partition (KIP-98): from 0 to
/// <see cref="int.MaxValue"/>, after which they begin at 0 again.
/// </summary>
public static class SequenceNumber
{
    /// <summary>The number that comes <paramref name="count"/> records after <paramref name="sequence"/>.</summary>
    public static int Advance(int sequence, int count) => (int)((sequence + (long)count) & int.MaxValue);

    /// <summary>The number right before <paramref name="sequence"/>.</summary>
    public static int Before(int sequence) => sequence == 0 ? int.MaxValue : sequence - 1;
}
