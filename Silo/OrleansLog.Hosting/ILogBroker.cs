namespace OrleansLog.Hosting;

/// <summary>The broker on this silo, for health checks and for who wants to know. Any thread.</summary>
public interface ILogBroker
{
    /// <summary>Who it is.</summary>
    int Id { get; }

    /// <summary>Where Kafka clients reach it, as <c>host:port</c>; null before it is open.</summary>
    string? Address { get; }

    /// <summary>Why it cannot serve at this moment, a failed disk say; null if it can.</summary>
    string? NotReady { get; }
}
