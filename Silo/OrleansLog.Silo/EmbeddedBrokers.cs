using OrleansLog.Silo.Options;

namespace OrleansLog.Silo;

internal sealed class EmbeddedBrokers : IEngine
{
    public string? NotReady => null;
    public string Addresses => "127.0.0.1:9092";
    public static Task<IEngine> StartAsync(SiloOptions options, ILoggerFactory loggers, CancellationToken cancellation) => Task.FromResult<IEngine>(new EmbeddedBrokers());
    public ValueTask DisposeAsync() => default;
}
