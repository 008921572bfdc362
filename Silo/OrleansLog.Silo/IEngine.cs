using OrleansLog.Silo.Options;

namespace OrleansLog.Silo;

/// <summary>
/// What carries the brokers of this process and their Kafka endpoints. Disposing stops to accept, ends what is in work
/// and flushes everything.
/// </summary>
public interface IEngine : IAsyncDisposable
{
    /// <summary>Why it cannot serve at this moment, a failed disk say; null if it can. Any thread.</summary>
    string? NotReady { get; }

    /// <summary>
    /// Changes the life of one broker, to play with failures: <c>kill</c>, <c>pause</c>, <c>resume</c>, <c>stop</c> or
    /// <c>start</c>. Answers whether anything changed, and what, in words.
    /// </summary>
    Task<(bool IsChanged, string Text)> ChangeBrokerAsync(int id, string action);

    /// <summary>One of the brokers of this process; null while none runs.</summary>
    Broker.Broker? Broker { get; }

    /// <summary>Where clients are served, as people write it: <c>127.0.0.1:9092</c>.</summary>
    string Addresses { get; }
}

/// <summary>Starts an engine; the task ends when it serves. Fails with <see cref="StartException"/> where the user can mend it.</summary>
public delegate Task<IEngine> StartEngine(SiloOptions options, ILoggerFactory loggers, CancellationToken cancellation);
