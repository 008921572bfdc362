using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace OrleansLog.Silo.Telemetry;

internal static partial class TelemetryExport
{
    static partial void Start(string version, ref IDisposable? export) => export = new Providers(
        Sdk.CreateTracerProviderBuilder().ConfigureResource(Describe(version)).AddSource(Sources).AddOtlpExporter().Build(),
        Sdk.CreateMeterProviderBuilder().ConfigureResource(Describe(version)).AddMeter(Meters).AddOtlpExporter().Build());

    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say more, and come after.
    private static Action<ResourceBuilder> Describe(string version) => resource => resource
        .AddService("orleanslog", serviceVersion: version)
        .AddEnvironmentVariableDetector();

    private sealed class Providers(TracerProvider traces, MeterProvider metrics) : IDisposable
    {
        public void Dispose()
        {
            traces.Dispose();
            metrics.Dispose();
        }
    }
}
