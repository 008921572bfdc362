using OrleansLog.Silo.Options;

namespace OrleansLog.Silo;

/// <summary>The one place that chooses what carries the brokers.</summary>
internal static partial class Engines
{
    /// <summary>Whether the Orleans engine is part of this build.</summary>
    public static bool HasOrleans => FindOrleans() is not null;

    /// <summary>The Orleans engine where it is part of this build, unless several brokers are to share the process.</summary>
    public static Engine DefaultFor(SiloOptions options) => HasOrleans && options.Brokers == 1 ? Engine.Orleans : Engine.Embedded;

    public static Task<IEngine> StartAsync(SiloOptions options, ILoggerFactory loggers, CancellationToken cancellation) =>
        (options.Engine ?? DefaultFor(options)) == Engine.Embedded
            ? EmbeddedBrokers.StartAsync(options, loggers, cancellation)
            : (FindOrleans() ?? throw NoOrleans())(options, loggers, cancellation);

    private static StartEngine? FindOrleans()
    {
        StartEngine? start = null;
        AddOrleans(ref start);
        return start;
    }

    /// <summary>Written only where the Orleans packages were there to build with.</summary>
    static partial void AddOrleans(ref StartEngine? start);

    private static StartException NoOrleans() => new(
        ExitCode.Usage, "--engine orleans is not part of this build, which has only the embedded engine; leave the option out or give --engine embedded");
}
