using System.Diagnostics;

namespace OrleansLog.InteropTests.Support;

/// <summary>kafkajs, which is installed from npm into the build's own output the first time it is wanted.</summary>
internal static class KafkaJs
{
    private const string Version = "2.2.4";
    private static readonly SemaphoreSlim Installing = new(1);

    /// <summary>The folder of its modules; skips the running test where they cannot be had.</summary>
    public static async Task<string> NeedAsync()
    {
        Tool.Need(Tool.Exists("node", "--version"), "node is not installed (Debian: nodejs)");
        var home = Path.Combine(AppContext.BaseDirectory, "kafkajs");
        var modules = Path.Combine(home, "node_modules");
        await Installing.WaitAsync();
        try
        {
            if (!Directory.Exists(Path.Combine(modules, "kafkajs")))
            {
                var installed = Tool.Exists("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", home, $"kafkajs@{Version}");
                Tool.Need(installed, $"kafkajs {Version} cannot be installed from npm");
            }
        }
        finally
        {
            Installing.Release();
        }
        return modules;
    }

    public static async Task RunAsync(string modules, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("node", [Tool.Script("kafkajs_client.js"), .. arguments])
        {
            RedirectStandardError = true,
            Environment = { ["NODE_PATH"] = modules },
        })!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"kafkajs ended with {process.ExitCode}: {error}");
    }
}
