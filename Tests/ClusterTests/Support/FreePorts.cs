using System.Net;
using System.Net.Sockets;

namespace OrleansLog.ClusterTests.Support;

/// <summary>Ports of the loopback interface that nobody listens on at the moment.</summary>
internal static class FreePorts
{
    public static int[] Find(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new Socket(SocketType.Stream, ProtocolType.Tcp)).ToList();
        listeners.ForEach(listener => listener.Bind(new IPEndPoint(IPAddress.Loopback, 0)));
        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndPoint!).Port)];
        listeners.ForEach(listener => listener.Dispose());
        return ports;
    }
}
