using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansLog.Client.Hosting;

namespace OrleansLog.Client;

/// <summary>
/// The health of a host's consumers: unhealthy when one has ended by a failure, degraded while one is trying a record again.
/// <c>services.AddHealthChecks().AddCheck&lt;ConsumerHealthCheck&gt;("consumers")</c>.
/// </summary>
public sealed class ConsumerHealthCheck : IHealthCheck
{
    private readonly List<HostedConsumerStatus> _consumers;

    internal ConsumerHealthCheck(IEnumerable<HostedConsumerStatus> consumers) => _consumers = [.. consumers];

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (_consumers.Find(consumer => consumer.Failure is not null) is { } failed)
            return Task.FromResult(HealthCheckResult.Unhealthy($"Consumer '{failed.Name}' has ended.", failed.Failure));
        return Task.FromResult(_consumers.Find(consumer => consumer.Retrying > 0) is { } retrying
            ? HealthCheckResult.Degraded($"Consumer '{retrying.Name}' is trying {retrying.Retrying} records again.")
            : HealthCheckResult.Healthy($"{_consumers.Count} consumers are running."));
    }
}
