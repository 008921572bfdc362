using System.Diagnostics;
using OrleansLog.ClusterTests.Support;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>
/// One silo with its broker as users run it: the executable in a process of its own, on free ports of its place and with a
/// data directory of its own.
/// </summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    // Of a machine that stalls.
    private static readonly TimeSpan StartTimeMax = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StopTimeMax = TimeSpan.FromMinutes(3);

    // Where to keep all that the silos say, to find out why a test failed.
    private static readonly string? LogDirectory = Environment.GetEnvironmentVariable("ORLEANSLOG_CLUSTER_LOGS");

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("orleanslog-silo-");
    private readonly int[] _ports = FreePorts.Find(4);
    private readonly string _cluster;
    private readonly string _connection;
    private readonly Place _place;
    private readonly string[] _options;
    private Process? _process;
    private Tail _said = new();

    /// <param name="id">The broker's id.</param>
    /// <param name="cluster">The cluster's name, which its blob container has too.</param>
    /// <param name="connection">The blob storage's connection string.</param>
    /// <param name="place">Where it runs.</param>
    /// <param name="options">Further options.</param>
    public SiloProcess(int id, string cluster, string connection, Place place, string[] options) =>
        (Id, _cluster, _connection, _place, _options) = (id, cluster, connection, place, options);

    public int Id { get; }

    public string Address => $"{_place.Address}:{_ports[0]}";

    /// <summary>Starts the process and waits until it says that it serves.</summary>
    public async Task StartAsync() => Assert.True(await TryStartAsync(), $"Silo {Id} did not start: {_said}");

    /// <summary>As <see cref="StartAsync"/>; false when it gives up, as one does that cannot reach the storage.</summary>
    public async Task<bool> TryStartAsync()
    {
        _process?.Dispose();
        string[] command =
        [
            .. _place.Prefix, "dotnet", Path.Combine(AppContext.BaseDirectory, "OrleansLog.Silo.dll"), "--engine", "orleans", "--clustering", "blobs", "--cluster-name", _cluster,
            "--blob-container", _cluster, "--broker-id", $"{Id}", "--data", _data.FullName, "--kafka-port", $"{_ports[0]}", "--http-port", $"{_ports[1]}",
            "--silo-port", $"{_ports[2]}", "--gateway-port", $"{_ports[3]}", "--host", _place.Address, .. _options,
            .. LogDirectory is null ? Array.Empty<string>() : ["--log-level", "information"],
        ];
        _process = Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["OLOG_BLOB_CONNECTION"] = _connection },
        })!;
        // What it says must not fill the pipes, from the start on.
        _said = new Tail();
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.BeginErrorReadLine();
        try
        {
            if (await _process.StandardOutput.ReadLineAsync().WaitAsync(StartTimeMax) is null) return false;
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Silo {Id} has not started within {StartTimeMax}: {_said}");
        }
        _ = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
        return true;
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
        await _process!.WaitForExitAsync().WaitAsync(StopTimeMax);
        Assert.True(_process.ExitCode == 0, $"silo {Id} stopped with {_process.ExitCode}");
    }

    /// <summary>Stops it in its tracks (SIGSTOP).</summary>
    public Task PauseAsync() => Signals.SendAsync(_process!, "STOP");

    /// <summary>Lets it go on (SIGCONT).</summary>
    public Task ResumeAsync() => Signals.SendAsync(_process!, "CONT");

    /// <summary>Whether the process has ended, by itself or otherwise.</summary>
    public bool HasEnded => _process is not { HasExited: false };

    /// <summary>Takes its disk away; for a silo that has ended.</summary>
    public void WipeDisk()
    {
        _data.Delete(recursive: true);
        _data.Create();
    }

    private void Hear(string? line)
    {
        _said.Add(line);
        if (LogDirectory is not null)
            File.AppendAllText(Path.Combine(LogDirectory, $"{_cluster}-silo-{Id}.log"), line + Environment.NewLine);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            await KillAsync();
        _process?.Dispose();
        _data.Delete(recursive: true);
    }

    /// <summary>The last lines of what a process says.</summary>
    private sealed class Tail
    {
        private const int LinesMax = 50;

        private readonly Queue<string> _lines = new();

        public void Add(string? line)
        {
            lock (_lines)
            {
                _lines.Enqueue(line ?? "");
                if (_lines.Count > LinesMax)
                    _lines.Dequeue();
            }
        }

        public override string ToString()
        {
            lock (_lines)
                return string.Join(Environment.NewLine, _lines);
        }
    }
}
