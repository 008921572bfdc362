namespace OrleansLog.Client.Hosting;

/// <summary>How a hosted consumer fares, for whoever asks after its health. Any thread.</summary>
internal sealed class HostedConsumerStatus(string name)
{
    private int _retrying;
    private Exception? _failure;

    public string Name => name;

    /// <summary>Why it has ended, or null.</summary>
    public Exception? Failure => Volatile.Read(ref _failure);

    /// <summary>How many records are being tried again.</summary>
    public int Retrying => Volatile.Read(ref _retrying);

    public void Fail(Exception failure) => Volatile.Write(ref _failure, failure);

    public void BeginRetrying() => Interlocked.Increment(ref _retrying);

    public void EndRetrying() => Interlocked.Decrement(ref _retrying);
}
