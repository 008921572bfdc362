using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace OrleansLog.InteropTests.Support;

/// <summary>
/// A broker as users run it: the silo's executable in a process of its own, on free ports and a data directory of its
/// own. Disposing ends the process and deletes the directory.
/// </summary>
internal sealed class BrokerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeMax = TimeSpan.FromSeconds(60);

    private readonly string[] _options;
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("orleanslog-interop-");
    private Process _process;

    private BrokerProcess(string[] options)
    {
        _options = options;
        KafkaPort = FreePort();
        HttpPort = FreePort();
        _process = Launch();
    }

    public int KafkaPort { get; }

    public int HttpPort { get; }

    public string Bootstrap => $"127.0.0.1:{KafkaPort}";

    public string DataDirectory => _data.FullName;

    /// <summary>Starts a broker and waits until it says that it serves.</summary>
    public static async Task<BrokerProcess> StartAsync(params string[] options)
    {
        var broker = new BrokerProcess(options);
        try
        {
            await broker.WaitUntilItServesAsync();
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the process as a power cut would, as far as it can tell: no handler of it runs.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Starts the broker again, on the same data and ports.</summary>
    public async Task RestartAsync()
    {
        _process.Dispose();
        _process = Launch();
        await WaitUntilItServesAsync();
    }

    /// <summary>Asks it to stop, as an operator does, and answers its exit code.</summary>
    public async Task<int> StopAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]))
            await kill.WaitForExitAsync();
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(15));
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
        _data.Delete(recursive: true);
    }

    private Process Launch() => Process.Start(new ProcessStartInfo("dotnet",
    [
        Path.Combine(AppContext.BaseDirectory, "OrleansLog.Silo.dll"),
        "--data", DataDirectory, "--kafka-port", $"{KafkaPort}", "--http-port", $"{HttpPort}", .. _options,
    ])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private async Task WaitUntilItServesAsync()
    {
        using var patience = new CancellationTokenSource(StartTimeMax);
        var line = await _process.StandardOutput.ReadLineAsync(patience.Token);
        if (line is null)
            throw new InvalidOperationException($"The broker did not start: {await _process.StandardError.ReadToEndAsync(patience.Token)}");
        // Its later output must not fill the pipes.
        _ = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
        _ = _process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
    }

    private static int FreePort()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)listener.LocalEndPoint!).Port;
    }
}
