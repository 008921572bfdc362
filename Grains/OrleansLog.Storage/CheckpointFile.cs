using System.Globalization;
using System.Text;
using OrleansLog.Protocol;

namespace OrleansLog.Storage;

/// <summary>
/// A small text file of one entry a line, between a format version and a CRC-32C, that is only ever replaced whole: a
/// crash leaves the old one or the new one. Its name in the directory is durable before <see cref="WriteAsync"/> completes.
/// </summary>
internal static class CheckpointFile
{
    public const string TemporarySuffix = ".tmp";

    private const int Version = 1;
    private const int BytesMax = 16 << 20;
    private const string VersionKey = "version";
    private const string ChecksumKey = "crc32c";

    public static async ValueTask WriteAsync(ILogFileSystem files, string directory, string name, IEnumerable<string> lines)
    {
        var path = $"{directory}/{name}";
        using (var file = files.Open(path + TemporarySuffix, create: true))
        {
            file.Truncate(0);
            file.Write(0, Encode(lines));
            await file.FlushAsync();
        }

        files.Rename(path + TemporarySuffix, path);
        await files.FlushDirectoryAsync(directory);
    }

    /// <summary>The lines of the file, or null when its bytes are not what was written.</summary>
    /// <exception cref="StorageException">The file has a later format than this program knows.</exception>
    public static string[]? Read(ILogFileSystem files, string directory, LogFileEntry entry) => Read(files, directory, entry.Name);

    /// <inheritdoc cref="Read(ILogFileSystem, string, LogFileEntry)"/>
    public static string[]? Read(ILogFileSystem files, string directory, string name)
    {
        var path = $"{directory}/{name}";
        using var file = files.Open(path, create: false);
        if (file.Length > BytesMax) return null;
        var bytes = new byte[file.Length];
        file.ReadExactly(0, bytes);
        return Decode(Encoding.UTF8.GetString(bytes), path);
    }

    private static byte[] Encode(IEnumerable<string> lines)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{VersionKey} {Version}\n");
        foreach (var line in lines) text.Append(line).Append('\n');
        var content = text.ToString();
        return Encoding.UTF8.GetBytes($"{content}{ChecksumKey} {ChecksumOf(content):x8}\n");
    }

    private static string[]? Decode(string text, string path)
    {
        var checksumAt = text.LastIndexOf($"{ChecksumKey} ", StringComparison.Ordinal);
        if (checksumAt < 0) return null;
        var content = text[..checksumAt];
        if (text[checksumAt..] != $"{ChecksumKey} {ChecksumOf(content):x8}\n") return null;
        var lines = content.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines[0] != $"{VersionKey} {Version}")
            throw new StorageException($"{path} has {lines[0]}, and this program reads {VersionKey} {Version}: start a newer one");
        return lines[1..];
    }

    private static uint ChecksumOf(string text) => Crc32C.Compute(Encoding.UTF8.GetBytes(text));
}
