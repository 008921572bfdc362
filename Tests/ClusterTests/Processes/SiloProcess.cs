using System.Diagnostics;
using OrleansLog.ClusterTests.Support;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>
/// One silo with its broker as users run it: the executable in a process of its own, on free ports of the loopback interface
/// and a data directory of its own.
/// </summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeMax = TimeSpan.FromSeconds(90);

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("orleanslog-silo-");
    private readonly int[] _ports = FreePorts.Find(4);
    private readonly string _cluster;
    private readonly string _connection;
    private readonly string[] _options;
    private Process? _process;

    /// <param name="id">The broker's id.</param>
    /// <param name="cluster">The cluster's name, which its blob container has too.</param>
    /// <param name="connection">The blob storage's connection string.</param>
    /// <param name="options">Further options.</param>
    public SiloProcess(int id, string cluster, string connection, params string[] options) => (Id, _cluster, _connection, _options) = (id, cluster, connection, options);

    public int Id { get; }

    public string Address => $"127.0.0.1:{_ports[0]}";

    /// <summary>Starts the process and waits until it says that it serves.</summary>
    public async Task StartAsync()
    {
        _process?.Dispose();
        _process = Process.Start(new ProcessStartInfo("dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "OrleansLog.Silo.dll"), "--engine", "orleans", "--clustering", "blobs", "--cluster-name", _cluster,
            "--blob-container", _cluster, "--broker-id", $"{Id}", "--data", _data.FullName, "--kafka-port", $"{_ports[0]}", "--http-port", $"{_ports[1]}",
            "--silo-port", $"{_ports[2]}", "--gateway-port", $"{_ports[3]}", .. _options,
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["OLOG_BLOB_CONNECTION"] = _connection },
        })!;
        using var patience = new CancellationTokenSource(StartTimeMax);
        if (await _process.StandardOutput.ReadLineAsync(patience.Token) is null)
            throw new InvalidOperationException($"Silo {Id} did not start: {await _process.StandardError.ReadToEndAsync(patience.Token)}");
        // Its later output must not fill the pipes.
        _ = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
        _ = _process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
    }

    /// <summary>Ends it as a power cut would, as far as it can tell (SIGKILL).</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks it to stop, as an operator does (SIGTERM).</summary>
    public async Task StopAsync()
    {
        await Signals.SendAsync(_process!, "TERM");
        await _process!.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(_process.ExitCode == 0, $"silo {Id} stopped with {_process.ExitCode}");
    }

    /// <summary>Stops it in its tracks (SIGSTOP).</summary>
    public Task PauseAsync() => Signals.SendAsync(_process!, "STOP");

    /// <summary>Lets it go on (SIGCONT); true if it still lives a moment later, for it may learn that it was given up.</summary>
    public Task ResumeAsync() => Signals.SendAsync(_process!, "CONT");

    /// <summary>Whether the process has ended, by itself or otherwise.</summary>
    public bool HasEnded => _process is not { HasExited: false };

    /// <summary>Takes its disk away; for a silo that has ended.</summary>
    public void WipeDisk()
    {
        _data.Delete(recursive: true);
        _data.Create();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            await KillAsync();
        _process?.Dispose();
        _data.Delete(recursive: true);
    }
}
