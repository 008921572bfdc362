using System.Diagnostics;
using System.Globalization;
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

    private static readonly HttpClient Http = new();

    private readonly int _brokers;
    private readonly string[] _options;
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("orleanslog-interop-");
    private Process _process;

    private BrokerProcess(int brokers, string[] options)
    {
        _brokers = brokers;
        _options = ["--brokers", $"{brokers}", .. options];
        KafkaPort = FreePort(brokers);
        HttpPort = FreePort();
        _process = Launch();
    }

    public int KafkaPort { get; }

    public int HttpPort { get; }

    /// <summary>Its brokers, as clients want them.</summary>
    public string Bootstrap => string.Join(',', Enumerable.Range(KafkaPort, _brokers).Select(port => $"127.0.0.1:{port}"));

    public string DataDirectory => _data.FullName;

    /// <summary>Starts a broker and waits until it says that it serves.</summary>
    public static Task<BrokerProcess> StartAsync(params string[] options) => StartAsync(1, options);

    /// <inheritdoc cref="StartAsync(string[])"/>
    public static async Task<BrokerProcess> StartAsync(int brokers, params string[] options)
    {
        var broker = new BrokerProcess(brokers, options);
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
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        return _process.ExitCode;
    }

    /// <summary>Kills, pauses, resumes, stops or starts one broker of several.</summary>
    public async Task ChangeBrokerAsync(int id, string action)
    {
        using var answer = await Http.PostAsync(new Uri($"http://127.0.0.1:{HttpPort}/brokers/{id}/{action}"), null);
        Assert.True(answer.IsSuccessStatusCode, $"{action} {id}: {await answer.Content.ReadAsStringAsync()}");
    }

    /// <summary>The sum of a metric's values, over those with a label or (<paramref name="isOfOthers"/>) those without.</summary>
    public async Task<double> MetricAsync(string name, string label = "", bool isOfOthers = false)
    {
        var text = await Http.GetStringAsync(new Uri($"http://127.0.0.1:{HttpPort}/metrics"));
        return text.Split('\n')
            .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) && line.Contains(label, StringComparison.Ordinal) != isOfOthers)
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
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

    /// <summary>The first of some free ports in a row.</summary>
    private static int FreePort(int count = 1)
    {
        while (true)
        {
            using var first = Listen(0)!;
            var port = ((IPEndPoint)first.LocalEndPoint!).Port;
            var others = Enumerable.Range(port + 1, count - 1).Select(Listen).ToList();
            others.ForEach(other => other?.Dispose());
            if (!others.Contains(null))
                return port;
        }
    }

    private static Socket? Listen(int port)
    {
        var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return listener;
        }
        catch (Exception taken) when (taken is SocketException or ArgumentOutOfRangeException)
        {
            listener.Dispose();
            return null;
        }
    }
}
