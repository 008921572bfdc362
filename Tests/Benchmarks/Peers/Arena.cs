namespace OrleansLog.Benchmarks.Peers;

/// <summary>The brokers of one comparison, all started with the same durability and stopped together.</summary>
internal sealed class Arena : IDisposable
{
    private const int PortsPerBroker = 10; // some peers need a few more, next to the one asked for
    private readonly List<RunningBroker> _brokers = [];
    private readonly string _directory;

    private Arena(string directory) => _directory = directory;

    public IReadOnlyList<RunningBroker> Brokers => _brokers;

    /// <summary>Starts all that can be had of the brokers asked for, ours first, and says of the others why not.</summary>
    public static Arena Open(BenchmarkOptions options, Durability durability, bool onlyKafka = false)
    {
        var arena = new Arena(Path.Combine(options.DataDirectory, durability.Name()));
        var port = options.FirstPort;
        foreach (var contestant in Contestants(options).Where(contestant => contestant.SpeaksKafka || !onlyKafka))
        {
            arena.TryStart(contestant, port, durability);
            port += PortsPerBroker;
        }

        Console.WriteLine($"{durability.Name()}: {string.Join(", ", arena.Brokers.Select(broker => $"{broker.Name} {broker.Version}"))}\n");
        return arena;
    }

    public void Dispose()
    {
        _brokers.ForEach(broker => broker.Dispose());
        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    private static IEnumerable<IContestant> Contestants(BenchmarkOptions options) =>
        ScriptedPeer.All.Where(peer => options.Peers.Contains(peer.Name)).Prepend<IContestant>(new OrleansLogBroker(options));

    private void TryStart(IContestant contestant, int port, Durability durability)
    {
        try
        {
            RunningBroker.ThrowIfAbandoned();
            _brokers.Add(contestant.Start(Path.Combine(_directory, contestant.Name), port, durability));
        }
        catch (UnavailableException e)
        {
            Console.WriteLine($"left out: {e.Message}");
        }
    }
}
