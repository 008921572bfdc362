using System.Diagnostics;
using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Compression;

/// <summary>Our frames as the reference tools read them, where these are installed.</summary>
public sealed class ReferenceToolTests
{
    [Theory]
    [InlineData(CompressionType.Gzip, "gzip")]
    [InlineData(CompressionType.Lz4, "lz4")]
    [InlineData(CompressionType.Zstd, "zstd")]
    public async Task The_reference_tool_reads_what_we_write(CompressionType type, string tool)
    {
        Assert.SkipUnless(IsOnPath(tool), $"There is no {tool} on the PATH.");
        foreach (var shape in Shapes.All)
        {
            var original = Shapes.Make(shape);
            var decoded = await Decode(tool, Codec.Compress(type, original));
            Assert.True(original.AsSpan().SequenceEqual(decoded), $"{tool} decodes \"{shape}\" to something else.");
        }
    }

    private static bool IsOnPath(string tool) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Any(folder => File.Exists(Path.Combine(folder, tool)));

    private static async Task<byte[]> Decode(string tool, byte[] compressed)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, "-d -c -q")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        using var output = new MemoryStream();
        var reading = process.StandardOutput.BaseStream.CopyToAsync(output);
        await process.StandardInput.BaseStream.WriteAsync(compressed);
        process.StandardInput.Close();
        await reading;
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output.ToArray();
    }
}
