using OrleansLog.Client;
using OrleansLog.Simulation.Running;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation.Applications;

/// <summary>
/// An application in a simulated world: a process of its own on the simulation's thread, with a clock of its own. Its code
/// may await whatever takes its time from <see cref="Time"/>; what goes to another thread breaks the run.
/// </summary>
public sealed class SimApplication
{
    private readonly SimProcess _process;
    private readonly int _place;

    internal SimApplication(SimCluster cluster, int place)
    {
        (Cluster, _place) = (cluster, place);
        _process = new(cluster.Scheduler) { IsApplication = true };
        Time = new SimClock(cluster.Scheduler, _process, cluster.Profile.DrawClockRate(cluster.Random), TimeSpan.Zero);
    }

    /// <summary>The world around, for scripts: which broker leads, and what is to happen to it.</summary>
    public SimCluster Cluster { get; }

    public TimeProvider Time { get; }

    /// <summary>Whether the application has come to an end.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>What made it end, if it did not end by itself.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>A client of the simulated cluster, whose one topic is <see cref="SimCluster.Partition"/>'s.</summary>
    /// <param name="options">How patient to be; whom to ask first and what is left to chance is the simulation's.</param>
    public OrleansLogClient CreateClient(ClientOptions? options = null)
    {
        options = (options ?? new()) with { Random = new Random((int)(Cluster.Random.Next() & int.MaxValue)) };
        return new(options, new SimTransport(Cluster, _place, Time, options), loggers: null, Time);
    }

    /// <summary>Puts what the application does or sees into the run's trace.</summary>
    public void Trace(string what) => Cluster.Trace($"application {_place} {what}");

    internal void Begin(Func<SimApplication, Task> main) => _process.Enter(() => _ = RunAsync(main));

    private async Task RunAsync(Func<SimApplication, Task> main)
    {
        try
        {
            await main(this);
        }
        catch (Exception e)
        {
            Failure = e;
        }

        HasEnded = true;
    }
}
