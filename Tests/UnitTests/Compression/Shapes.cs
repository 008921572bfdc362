using System.Text;

namespace OrleansLog.UnitTests.Compression;

/// <summary>Inputs of many kinds, each the same on every run.</summary>
internal static class Shapes
{
    public static readonly string[] All =
    [
        "empty", "one byte", "two bytes", "twelve bytes", "thirteen bytes", "run of 100", "run of 1 MiB", "short period",
        "random 1 KiB", "random 300 KiB", "text 1 KiB", "text 64 KiB", "text 64 KiB and a byte", "text 3 MiB",
        "skewed bytes 200 KiB", "two symbols 100 KiB", "all symbols alike", "random then text", "far repeats 4 MiB",
        "records of numbers", "steps of a block",
    ];

    public static TheoryData<string> Names => [.. All];

    public static byte[] Make(string shape) => shape switch
    {
        "empty" => [],
        "one byte" => [42],
        "two bytes" => [1, 2],
        "twelve bytes" => "abcabcabcabc"u8.ToArray(),
        "thirteen bytes" => "aaaaaaaaaaaaa"u8.ToArray(),
        "run of 100" => Filled(100, 7),
        "run of 1 MiB" => Filled(1 << 20, 0),
        "short period" => Periodic(70_000, 11),
        "random 1 KiB" => Noise(1, 1024),
        "random 300 KiB" => Noise(2, 300 * 1024),
        "text 1 KiB" => Text(3, 1024),
        "text 64 KiB" => Text(4, 64 * 1024),
        "text 64 KiB and a byte" => Text(5, 64 * 1024 + 1),
        "text 3 MiB" => Text(6, 3 << 20),
        "skewed bytes 200 KiB" => Skewed(7, 200 * 1024),
        "two symbols 100 KiB" => [.. Noise(8, 100 * 1024).Select(value => (byte)(value < 20 ? 'a' : 'b'))],
        "all symbols alike" => [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i * 167 + (i >> 8)))],
        "random then text" => [.. Noise(9, 200_000), .. Text(10, 200_000)],
        "far repeats 4 MiB" => FarRepeats(11, 4 << 20),
        "records of numbers" => Numbers(12, 50_000),
        "steps of a block" => [.. Text(13, 128 * 1024), .. Filled(128 * 1024, 9), .. Noise(14, 128 * 1024), .. Text(15, 1)],
        _ => throw new ArgumentOutOfRangeException(nameof(shape), shape, "There is no such shape."),
    };

    public static byte[] Noise(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Lines such as servers write them.</summary>
    public static byte[] Text(int seed, int length)
    {
        var random = new Random(seed);
        string[] words = ["accepted", "connection", "from", "timeout", "while", "reading", "user", "order", "payment", "GET"];
        var text = new StringBuilder(length + 200);
        for (var line = 0; text.Length < length; line++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"2026-01-17T08:{line / 60 % 60:00}:{line % 60:00}Z ");
            text.Append(random.Next(8) == 0 ? "WARN " : "INFO ");
            for (var word = random.Next(3, 9); word > 0; word--) text.Append(words[random.Next(words.Length)]).Append(' ');
            text.Append(random.Next(1_000_000)).Append('\n');
        }
        return Encoding.ASCII.GetBytes(text.ToString(0, length));
    }

    private static byte[] Filled(int length, byte value)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill(value);
        return bytes;
    }

    private static byte[] Periodic(int length, int period) =>
        [.. Enumerable.Range(0, length).Select(i => (byte)(i % period))];

    private static byte[] Skewed(int seed, int length)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => (byte)(255 * Math.Pow(random.NextDouble(), 6)))];
    }

    private static byte[] FarRepeats(int seed, int length)
    {
        var bytes = Noise(seed, length);
        for (var at = length / 2; at + 5000 < length; at += 9000)
            bytes.AsSpan(at - length / 2, 5000).CopyTo(bytes.AsSpan(at));
        return bytes;
    }

    private static byte[] Numbers(int seed, int count)
    {
        var random = new Random(seed);
        var bytes = new byte[count * 12];
        for (var i = 0; i < count; i++)
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(i * 12), 1_700_000_000_000L + i * 10 + random.Next(10));
            BitConverter.TryWriteBytes(bytes.AsSpan(i * 12 + 8), random.Next(1000));
        }
        return bytes;
    }
}
