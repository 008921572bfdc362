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
    private readonly List<SimTransport> _transports = [];
    private readonly Action _stop;

    internal SimApplication(SimCluster cluster, int place)
    {
        (Cluster, _place) = (cluster, place);
        _process = new(cluster.Scheduler) { IsApplication = true };
        var stop = new CancellationTokenSource();
        (_stop, Stopping) = (stop.Cancel, stop.Token);
        Time = new SimClock(cluster.Scheduler, _process, cluster.Profile.DrawClockRate(cluster.Random), TimeSpan.Zero);
    }

    /// <summary>The world around, for scripts: which broker leads, and what is to happen to it.</summary>
    public SimCluster Cluster { get; }

    public TimeProvider Time { get; }

    /// <summary>Whether the application has come to an end.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Whether another one has taken its place: it need not begin anew once it has failed.</summary>
    public bool IsReplaced { get; set; }

    /// <summary>What made it end, if it did not end by itself.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>A client of the simulated cluster, whose one topic is <see cref="SimCluster.Partition"/>'s.</summary>
    /// <param name="options">How patient to be; whom to ask first and what is left to chance is the simulation's.</param>
    public OrleansLogClient CreateClient(ClientOptions? options = null)
    {
        options = (options ?? new()) with { Random = new Random((int)(Cluster.Random.Next() & int.MaxValue)) };
        var transport = new SimTransport(Cluster, _place, Time, options);
        _transports.Add(transport);
        return new(options, transport, loggers: null, Time);
    }

    /// <summary>Cancelled when the application is to come to an end.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>Asks it to come to an end.</summary>
    public void Stop() => _process.Enter(_stop);

    /// <summary>Its process is killed: nothing of it goes on, and nobody is told but through its connections.</summary>
    public void Kill()
    {
        _process.Kill();
        HasEnded = true;
        foreach (var transport in _transports) transport.Drop();
    }

    /// <summary>It stands still, and its connections with it, until <see cref="Resume"/>.</summary>
    public void Pause() => _process.Pause();

    public void Resume() => _process.Resume();

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
