using System.Net;
using Microsoft.AspNetCore.Connections;
using OrleansLog.Client.Orleans.Connections;

namespace OrleansLog.Silo.Clustering.Connections;

/// <summary>
/// Lets a silo move large blocks between itself, other silos and Orleans clients: record batches are long, and receiving them
/// four kilobytes at a time is where most of the throughput of grain calls goes.
/// </summary>
internal static class SocketNetworking
{
    /// <summary>Takes the place of the way in which silos connect and listen by themselves.</summary>
    public static void Replace(IServiceCollection services)
    {
        foreach (var service in services.Where(service => service.IsKeyedService).ToList())
        {
            if (service.ServiceType == typeof(IConnectionFactory))
                services.AddKeyedSingleton<IConnectionFactory>(service.ServiceKey, (_, _) => new SocketConnectionFactory());
            else if (service.ServiceType == typeof(IConnectionListenerFactory))
                services.AddKeyedSingleton<IConnectionListenerFactory>(service.ServiceKey, (_, _) => new Listeners());
        }
    }

    private sealed class Listeners : IConnectionListenerFactory
    {
        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(new SocketConnectionListener(endpoint));
    }
}
