using System.Net;
using OrleansLog.Benchmarks.Clients;

namespace OrleansLog.Benchmarks.Peers;

/// <summary>A broker that serves, and how to reach it. Disposing it stops what was started for it.</summary>
internal sealed class RunningBroker(Action stop) : IDisposable
{
    public required string Name { get; init; }

    public required string Version { get; init; }

    public required IPEndPoint EndPoint { get; init; }

    public required IBrokerClient Client { get; init; }

    /// <summary>The broker's processes; empty when they are not known, and then its CPU time is not either.</summary>
    public required IReadOnlyList<int> ProcessIds { get; init; }

    public bool SpeaksKafka { get; init; }

    /// <summary>Whether this is the broker under test, not one that it is compared with.</summary>
    public bool IsOurs { get; init; }

    public void Dispose() => stop();
}

/// <summary>A broker, or the durability asked of it, is not to be had on this machine; the message says why.</summary>
internal sealed class UnavailableException(string message) : Exception(message);
