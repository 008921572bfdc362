using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace OrleansLog.Client.Orleans.Connections;

/// <summary>Connects to gateways.</summary>
internal sealed class SocketConnectionFactory : IConnectionFactory
{
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint, cancellationToken);
            return SocketConnection.Carry(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Takes the place of the way in which an Orleans client connects by itself.</summary>
    /// <param name="services">The services of an Orleans client.</param>
    public static void Replace(IServiceCollection services)
    {
        var key = services.Last(service => service.ServiceType == typeof(IConnectionFactory) && service.IsKeyedService).ServiceKey;
        services.AddKeyedSingleton<IConnectionFactory>(key, (_, _) => new SocketConnectionFactory());
    }
}
