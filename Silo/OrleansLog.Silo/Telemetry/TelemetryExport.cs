namespace OrleansLog.Silo.Telemetry;

/// <summary>
/// Sends metrics and traces to a collector by OTLP, where OpenTelemetry's own environment variables name one
/// (https://opentelemetry.io/docs/specs/otel/protocol/exporter/): <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, or those for traces and
/// metrics alone. Its other variables have their meaning too.
/// </summary>
internal static partial class TelemetryExport
{
    /// <summary>Whose metrics are shown and sent.</summary>
    public static readonly string[] Meters =
        ["OrleansLog.Broker", "OrleansLog.Storage", "OrleansLog.Kafka", "OrleansLog.Client", "Microsoft.Orleans", "System.Runtime"];

    /// <summary>Whose spans are sent.</summary>
    public static readonly string[] Sources = ["OrleansLog.Broker", "OrleansLog.Client", "Microsoft.Orleans.*"];

    private static readonly string[] Variables = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"];

    /// <summary>Whether a collector is named.</summary>
    public static bool IsAskedFor => Variables.Any(variable => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable)));

    /// <summary>Begins, if a collector is named and OpenTelemetry is part of this build. Dispose it to send what is left.</summary>
    /// <param name="version">This service's.</param>
    public static IDisposable? Start(string version)
    {
        IDisposable? export = null;
        if (IsAskedFor) Start(version, ref export);
        return export;
    }

    /// <summary>Written only where the OpenTelemetry packages were there to build with.</summary>
    static partial void Start(string version, ref IDisposable? export);
}
