using System.Diagnostics;

namespace OrleansLog.InteropTests.Support;

/// <summary>A program that a test drives. Where it is not installed the test is skipped, and says what to install.</summary>
internal static class Tool
{
    private static readonly TimeSpan RunTimeMax = TimeSpan.FromMinutes(20);

    public const string SystemPython = "/usr/bin/python3";

    /// <summary>Where the build puts the command-line tool: in a folder beside this project's own, of the same configuration.</summary>
    private static readonly string Olog = Path.Combine(
        AppContext.BaseDirectory, "..", "..", "OrleansLog.Cli", new DirectoryInfo(AppContext.BaseDirectory).Name, "olog.dll");

    /// <summary>Skips the running test unless kcat is there.</summary>
    public static void NeedKcat() => Need(Exists("kcat", "-V"), "kcat is not installed (Debian: kcat)");

    /// <summary>Skips the running test unless the system's Python can import a module.</summary>
    public static void NeedPython(string module, string package) =>
        Need(Exists(SystemPython, "-c", $"import {module}"), $"Python's {module} is not installed (Debian: {package})");

    /// <summary>Runs a program to its end and answers its standard output, failing with its standard error.</summary>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, string? inputFile = null, string? outputFile = null)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var patience = new CancellationTokenSource(RunTimeMax);
        var error = process.StandardError.ReadToEndAsync(patience.Token);
        var input = FeedAsync(process, inputFile);
        var output = await CollectAsync(process, outputFile, patience.Token);
        await Task.WhenAll(input, process.WaitForExitAsync(patience.Token));
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}: {await error}");
        return output;
    }

    /// <summary>Runs one of the scripts beside this project with the system's Python.</summary>
    public static Task<string> RunPythonAsync(string script, params string[] arguments) =>
        RunAsync(SystemPython, [Script(script), .. arguments]);

    /// <summary>The command-line tool of this project.</summary>
    public static Task<string> RunOlogAsync(IEnumerable<string> arguments, string? inputFile = null, string? outputFile = null) =>
        RunAsync("dotnet", [Olog, .. arguments], inputFile, outputFile);

    public static string Script(string name) => Path.Combine(AppContext.BaseDirectory, "scripts", name);

    public static void Need(bool present, string otherwise) => Assert.SkipUnless(present, otherwise);

    public static bool Exists(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static async Task FeedAsync(Process process, string? file)
    {
        if (file is not null)
        {
            await using var source = File.OpenRead(file);
            await source.CopyToAsync(process.StandardInput.BaseStream);
        }
        process.StandardInput.Close();
    }

    private static async Task<string> CollectAsync(Process process, string? file, CancellationToken cancellationToken)
    {
        if (file is null)
            return await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await using var destination = File.Create(file);
        await process.StandardOutput.BaseStream.CopyToAsync(destination, cancellationToken);
        return "";
    }
}
