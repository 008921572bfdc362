using System.Globalization;

namespace OrleansLog.InteropTests.Support;

/// <summary>
/// Real text to send through a broker, a record a line: this repository's own sources, or the file that
/// <c>OLOG_INTEROP_TEXT</c> names, for longer runs. Deleted with the test.
/// </summary>
internal sealed class TextFile : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("orleanslog-text-");

    public TextFile()
    {
        Path = Environment.GetEnvironmentVariable("OLOG_INTEROP_TEXT") ?? Gather();
        LineCount = File.ReadLines(Path, System.Text.Encoding.Latin1).LongCount();
    }

    public string Path { get; }

    public long LineCount { get; }

    public string Count => LineCount.ToString(CultureInfo.InvariantCulture);

    /// <summary>A path for what a client read back.</summary>
    public string CopyBy(string client) => System.IO.Path.Combine(_directory.FullName, client);

    /// <summary>Fails unless the copy has the very bytes of the original, in their order.</summary>
    public async Task AssertSameAsync(string copy)
    {
        Assert.Equal(new FileInfo(Path).Length, new FileInfo(copy).Length);
        await Tool.RunAsync("cmp", [Path, copy]);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private string Gather()
    {
        var path = CopyBy("sources");
        using var all = File.Create(path);
        foreach (var source in Directory.EnumerateFiles(RepositoryRoot(), "*.cs", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (source.Contains("artifacts", StringComparison.Ordinal))
                continue;
            // Without carriage returns and with a last newline, so that lines and records are the same thing.
            all.Write(System.Text.Encoding.UTF8.GetBytes(File.ReadAllText(source).ReplaceLineEndings("\n").TrimEnd('\n') + "\n"));
        }
        return path;
    }

    private static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(System.IO.Path.Combine(directory.FullName, "OrleansLog.sln")))
            directory = directory.Parent ?? throw new InvalidOperationException("The tests do not lie in the repository.");
        return directory.FullName;
    }
}
