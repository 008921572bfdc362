using System.Diagnostics;
using OrleansLog.InteropTests.Support;

namespace OrleansLog.InteropTests;

/// <summary>A broker that cannot start says why in one line, and its exit code tells the causes apart.</summary>
public sealed class StartFailures : IDisposable
{
    private static readonly TimeSpan RunTimeMax = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("orleanslog-start-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_port_in_use()
    {
        await using var broker = await BrokerProcess.StartAsync();

        var (exitCode, error) = await RunToEndAsync("--kafka-port", $"{broker.KafkaPort}", "--http-port", "0");

        Assert.Equal(3, exitCode);
        Assert.Contains($"Kafka cannot listen on 127.0.0.1:{broker.KafkaPort}", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_directory_that_another_process_owns()
    {
        await using var broker = await BrokerProcess.StartAsync();

        var (exitCode, error) = await RunToEndAsync("--kafka-port", "0", "--http-port", "0", "--data", broker.DataDirectory);

        Assert.Equal(4, exitCode);
        Assert.Contains($"{broker.DataDirectory} is in use by process ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_directory_that_cannot_be_one()
    {
        var file = Path.Combine(_directory.FullName, "file");
        await File.WriteAllTextAsync(file, "not a directory");

        var (exitCode, error) = await RunToEndAsync("--kafka-port", "0", "--http-port", "0", "--data", file);

        Assert.Equal(5, exitCode);
        Assert.Contains(file, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_misspelt_option()
    {
        var (exitCode, error) = await RunToEndAsync("--kafka-prot", "9092");

        Assert.Equal(2, exitCode);
        Assert.Contains("did you mean --kafka-port?", error, StringComparison.Ordinal);
    }

    private async Task<(int ExitCode, string Error)> RunToEndAsync(params string[] options)
    {
        string[] data = options.Contains("--data") ? [] : ["--data", Path.Combine(_directory.FullName, "data")];
        using var process = Process.Start(new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "OrleansLog.Silo.dll"), .. data, .. options])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var patience = new CancellationTokenSource(RunTimeMax);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            var error = await process.StandardError.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            Assert.Equal("", await output);
            Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
            return (process.ExitCode, error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }
}
