using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace OrleansLog.Benchmarks.Measuring;

/// <summary>
/// What the machine itself takes at this moment: no broker's latency can be below it, and on a busy machine its p99 says
/// how far a broker's p99 can be trusted.
/// </summary>
internal static class MachineFloor
{
    private const int Samples = 2_000;

    public static void Print(string dataDirectory)
    {
        var (roundTrip, flush) = (RoundTrips(), Flushes(dataDirectory));
        Console.WriteLine(
            $"this machine now: loopback round trip between two threads {Quantiles(roundTrip)} ms, "
            + $"append of 100 B with flush {Quantiles(flush)} ms\n");
    }

    private static string Quantiles(LatencyRecorder latencies) =>
        $"p50 {Text.Fixed(latencies.Milliseconds(0.5), 3)} p99 {Text.Fixed(latencies.Milliseconds(0.99), 3)}";

    private static LatencyRecorder RoundTrips()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient { NoDelay = true };
        client.Connect((IPEndPoint)listener.LocalEndpoint);
        using var server = listener.AcceptSocket();
        server.NoDelay = true;
        new Thread(() => Echo(server)) { IsBackground = true }.Start();
        return Sample(() =>
        {
            Span<byte> message = stackalloc byte[1];
            client.Client.Send(message);
            client.Client.Receive(message);
        });
    }

    private static void Echo(Socket socket)
    {
        Span<byte> message = stackalloc byte[1];
        for (var i = 0; i < Samples && socket.Receive(message) > 0; i++)
        {
            socket.Send(message);
        }
    }

    private static LatencyRecorder Flushes(string directory)
    {
        var path = Path.Combine(directory, "flush-sample");
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, options: FileOptions.DeleteOnClose);
        var (record, position) = (new byte[100], 0L);
        return Sample(() =>
        {
            RandomAccess.Write(file, record, position);
            RandomAccess.FlushToDisk(file);
            position += record.Length;
        });
    }

    private static LatencyRecorder Sample(Action once)
    {
        var latencies = new LatencyRecorder(Samples);
        for (var i = 0; i < Samples; i++)
        {
            var start = Stopwatch.GetTimestamp();
            once();
            latencies.Add(start, Stopwatch.GetTimestamp());
        }

        return latencies;
    }
}
