using OrleansLog.Silo.Options;

namespace OrleansLog.Silo;

/// <summary>The one place that chooses what carries the brokers.</summary>
internal static class Engines
{
    public static Task<IEngine> StartAsync(SiloOptions options, ILoggerFactory loggers, CancellationToken cancellation) => options.Engine switch
    {
        Engine.Embedded => EmbeddedBrokers.StartAsync(options, loggers, cancellation),
        _ => throw new StartException(
            ExitCode.Usage, "--engine orleans is not part of this build, which has only the embedded engine; leave the option out or give --engine embedded"),
    };
}
