namespace OrleansLog.Benchmarks.Peers;

/// <summary>A broker that can be started for a comparison.</summary>
internal interface IContestant
{
    string Name { get; }

    /// <summary>Whether Kafka's clients can be used against it.</summary>
    bool SpeaksKafka { get; }

    /// <summary>Starts it on the loopback with an empty data directory and returns when it serves.</summary>
    /// <exception cref="UnavailableException">It, or this durability, cannot be had.</exception>
    RunningBroker Start(string dataDirectory, int port, Durability durability);
}
