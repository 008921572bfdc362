using System.Globalization;
using System.Text;
using OrleansLog.Protocol;

namespace OrleansLog.Storage.Tiering;

/// <summary>A small text in a remote store with its CRC-32C in a last line, so that one that somebody altered or cut is not believed.</summary>
public static class ChecksummedText
{
    private const string ChecksumKey = "crc32c";

    public static byte[] Encode(string text) => Encoding.UTF8.GetBytes(text + LastLine(text));

    /// <summary>The text; null when it is not what was written.</summary>
    public static string? Decode(ReadOnlySpan<byte> bytes)
    {
        var all = Encoding.UTF8.GetString(bytes);
        var end = all.LastIndexOf($"\n{ChecksumKey} ", StringComparison.Ordinal);
        return end >= 0 && all[end..] == LastLine(all[..end]) ? all[..end] : null;
    }

    private static string LastLine(string text) =>
        string.Create(CultureInfo.InvariantCulture, $"\n{ChecksumKey} {Crc32C.Compute(Encoding.UTF8.GetBytes(text)):x8}\n");
}
