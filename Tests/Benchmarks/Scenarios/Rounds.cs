using OrleansLog.Benchmarks.Clients;
using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>The order of a comparison: A B C, A B C, … so that whatever else the machine does meets all alike.</summary>
internal static class Rounds
{
    /// <summary>One round of each broker to warm up, which is dropped, then the rounds asked for.</summary>
    public static List<T> Interleave<T>(BenchmarkOptions options, Arena arena, Func<RunningBroker, T> round)
    {
        var results = new List<T>();
        for (var i = -1; i < options.Rounds; i++)
        {
            foreach (var broker in arena.Brokers)
            {
                Add(i < 0 ? [] : results, broker, round);
            }
        }

        return results;
    }

    private static void Add<T>(List<T> results, RunningBroker broker, Func<RunningBroker, T> round)
    {
        try
        {
            results.Add(round(broker));
        }
        catch (Exception e) when (e is BrokerException or System.Net.Sockets.SocketException)
        {
            RunningBroker.ThrowIfAbandoned();
            Console.WriteLine($"a round of {broker.Name} failed: {e.Message}");
        }
    }
}

/// <summary>New topics for one round, deleted with it.</summary>
internal sealed class RoundTopics : IDisposable
{
    private static int _count;
    private readonly RunningBroker _broker;
    private readonly string[] _names;

    public RoundTopics(RunningBroker broker, Durability durability, int count)
    {
        _broker = broker;
        _names = [.. Enumerable.Range(0, count).Select(_ => $"bench-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}")];
        foreach (var name in _names)
        {
            broker.Client.CreateTopic(name, durability);
        }
    }

    public string this[int index] => _names[index];

    public void Dispose()
    {
        foreach (var name in _names)
        {
            _broker.Client.DeleteTopic(name);
        }
    }
}
