using OrleansLog.Simulation.Running;

namespace OrleansLog.Simulation.World;

/// <summary>How messages travel. May change during a run.</summary>
public sealed class NetworkFaults
{
    public double Lost { get; set; }

    public double Repeated { get; set; }

    /// <summary>How long a message takes, in microseconds, at least and at most; so they overtake one another.</summary>
    public (long Min, long Max) DelayUs { get; set; } = (50, 500);
}

/// <summary>Carries messages between numbered places: lost, repeated, late, out of order, or not at all in one direction.</summary>
public sealed class SimNetwork(SimScheduler scheduler, SimRandom random)
{
    private readonly HashSet<(int From, int To)> _cut = [];

    public NetworkFaults Faults { get; set; } = new();

    /// <summary>Nothing gets from one place to another any more; the other direction is another matter.</summary>
    public void Cut(int from, int to) => _cut.Add((from, to));

    public void Heal() => _cut.Clear();

    public void Send(int from, int to, Action deliver, bool mayRepeat = true)
    {
        if (_cut.Contains((from, to)) || random.Chance(Faults.Lost)) return;
        scheduler.After(DelayUs(), deliver);
        if (mayRepeat && random.Chance(Faults.Repeated)) scheduler.After(DelayUs(), deliver);
    }

    private long DelayUs() => random.Between(Faults.DelayUs.Min, Faults.DelayUs.Max);
}
