using System.Diagnostics;

namespace OrleansLog.UnitTests.Metadata;

/// <summary>
/// Azurite's blob service (https://github.com/Azure/Azurite) in memory, in a process of its own on a free port, for all tests
/// that share it. Where it is not installed there is none.
/// </summary>
public sealed class Azurite : IAsyncLifetime
{
    private const string Program = "azurite-blob";
    private const string Listens = "successfully listens on ";

    // The account and key that every Azurite has, by its documentation.
    private const string Account = "devstoreaccount1";
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private static readonly TimeSpan StartTimeMax = TimeSpan.FromSeconds(60);

    private Process? _process;
    private string? _address;
    private string? _missing;

    /// <summary>The address to listen on; the loopback interface's by default.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>What else it is started with.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Where it listens, with the account; skips the running test where it is not installed.</summary>
    public string Endpoint => ConnectionString.Split("BlobEndpoint=")[1].TrimEnd(';');

    /// <summary>The process, where it runs.</summary>
    public Process? Process => _process;

    /// <summary>How to reach it; skips the running test where it is not installed.</summary>
    public string ConnectionString
    {
        get
        {
            Assert.SkipUnless(_address is not null, _missing ?? "Azurite does not run");
            return $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint={_address}/{Account};";
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (FindProgram() is not { } program)
        {
            _missing = $"{Program} is not on the PATH (npm install --global azurite)";
            return;
        }
        string[] arguments = ["--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck", "--blobHost", Host, "--blobPort", "0", .. Arguments];
        _process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() })!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(StartTimeMax);
        while (await _process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            var at = line.IndexOf(Listens, StringComparison.Ordinal);
            if (at < 0) continue;
            _address = line[(at + Listens.Length)..].Trim();
            return;
        }
        throw new InvalidOperationException($"{program} ended without listening.");
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is null) return;
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static string? FindProgram()
    {
        var name = OperatingSystem.IsWindows() ? $"{Program}.cmd" : Program;
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);
    }
}
