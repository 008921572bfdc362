using Microsoft.Extensions.Logging;

namespace OrleansLog.Simulation.World;

/// <summary>Puts the warnings of one broker into the trace.</summary>
internal sealed class SimLogger(SimCluster cluster, SimBroker broker) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning && cluster.KeepsTrace;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel)) cluster.Note($"{broker.Id} says: {formatter(state, exception)} {exception?.Message}");
    }
}
