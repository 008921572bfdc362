using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using OrleansLog.Client.Orleans.Connections;

namespace OrleansLog.Silo.Clustering.Connections;

/// <summary>Accepts the connections of other silos and of Orleans clients.</summary>
internal sealed class SocketConnectionListener : IConnectionListener
{
    private const int WaitingConnectionsMax = 512;

    private readonly Socket _socket;

    /// <exception cref="AddressInUseException">Somebody else listens there.</exception>
    public SocketConnectionListener(EndPoint endPoint)
    {
        _socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            if (endPoint is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any)) _socket.DualMode = true;
            _socket.Bind(endPoint);
            _socket.Listen(WaitingConnectionsMax);
        }
        catch (SocketException failed)
        {
            _socket.Dispose();
            throw new AddressInUseException($"Silos or Orleans clients cannot be served on {endPoint}: {failed.Message} (--silo-port and --gateway-port choose other ports)", failed);
        }
    }

    public EndPoint EndPoint => _socket.LocalEndPoint!;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return SocketConnection.Carry(await _socket.AcceptAsync(cancellationToken));
        }
        catch (Exception stopped) when (stopped is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
        {
            return null;
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => DisposeAsync();

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return default;
    }
}
