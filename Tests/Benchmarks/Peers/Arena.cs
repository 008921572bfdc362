namespace OrleansLog.Benchmarks.Peers;

/// <summary>The brokers of one comparison, all started with the same durability and stopped together.</summary>
internal sealed class Arena : IDisposable
{
    private const int PortsPerBroker = 10; // some peers need a few more, next to the one asked for
    private readonly List<RunningBroker> _brokers = [];
    private readonly string _directory;

    private Arena(string directory) => _directory = directory;

    public IReadOnlyList<RunningBroker> Brokers => _brokers;

    /// <summary>Starts all that can be had of the brokers asked for, and says of the others why not.</summary>
    public static Arena Open(BenchmarkOptions options, Durability durability, Func<RunningBroker, bool>? isWanted = null)
    {
        var arena = new Arena(Path.Combine(options.DataDirectory, durability.Name()));
        var contestants = ScriptedPeer.All.Where(peer => options.Peers.Contains(peer.Name)).Prepend<IContestant>(new OrleansLogBroker(options));
        var port = options.FirstPort;
        foreach (var contestant in contestants)
        {
            arena.TryStart(contestant, port, durability, isWanted);
            port += PortsPerBroker;
        }

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

    private void TryStart(IContestant contestant, int port, Durability durability, Func<RunningBroker, bool>? isWanted)
    {
        try
        {
            var broker = contestant.Start(Path.Combine(_directory, contestant.Name), port, durability);
            if (isWanted is null || isWanted(broker))
            {
                _brokers.Add(broker);
                return;
            }

            broker.Dispose();
        }
        catch (UnavailableException e)
        {
            Console.WriteLine($"left out: {e.Message}");
        }
    }
}
