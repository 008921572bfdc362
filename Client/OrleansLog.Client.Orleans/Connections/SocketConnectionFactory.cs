using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace OrleansLog.Client.Orleans.Connections;

/// <summary>Connects to silos.</summary>
internal sealed class SocketConnectionFactory : IConnectionFactory
{
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
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
}
