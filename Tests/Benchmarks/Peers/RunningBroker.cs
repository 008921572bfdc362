using System.Net;
using OrleansLog.Benchmarks.Clients;

namespace OrleansLog.Benchmarks.Peers;

/// <summary>A broker that serves, and how to reach it. Disposing it stops what was started for it, once.</summary>
internal sealed class RunningBroker : IDisposable
{
    private static readonly List<RunningBroker> Running = [];
    private static bool _abandoned;
    private readonly Action _stop;

    public RunningBroker(Action stop)
    {
        _stop = stop;
        lock (Running)
        {
            Running.Add(this);
        }
    }

    public required string Name { get; init; }

    public required string Version { get; init; }

    public required IPEndPoint EndPoint { get; init; }

    public required IBrokerClient Client { get; init; }

    /// <summary>The broker's processes; empty when they are not known, and then its CPU time is not either.</summary>
    public required IReadOnlyList<int> ProcessIds { get; init; }

    public bool SpeaksKafka { get; init; }

    /// <summary>Whether this is the broker under test, not one that it is compared with.</summary>
    public bool IsOurs { get; init; }

    /// <summary>Stops all that still run and lets none start any more, for a program that is interrupted. Any thread.</summary>
    public static void Abandon()
    {
        RunningBroker[] running;
        lock (Running)
        {
            _abandoned = true;
            running = [.. Running];
        }

        Array.ForEach(running, broker => broker.Dispose());
    }

    /// <exception cref="OperationCanceledException">The program has been interrupted.</exception>
    public static void ThrowIfAbandoned()
    {
        lock (Running)
        {
            if (_abandoned)
            {
                throw new OperationCanceledException("interrupted");
            }
        }
    }

    public void Dispose()
    {
        lock (Running)
        {
            if (!Running.Remove(this))
            {
                return;
            }
        }

        _stop();
    }
}

/// <summary>A broker, or the durability asked of it, is not to be had on this machine; the message says why.</summary>
internal sealed class UnavailableException(string message) : Exception(message);
