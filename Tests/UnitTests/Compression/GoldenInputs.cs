using System.Globalization;
using System.Text;

namespace OrleansLog.UnitTests.Compression;

/// <summary>
/// What the files under Golden decode to. The reference tools made those files (zstd 1.5.4, lz4 1.9.4, snappy 1.1.9,
/// gzip 1.12; python-zstandard for the streamed one); their names say from which input and how.
/// </summary>
internal static class GoldenInputs
{
    public static byte[] Make(string name) => name switch
    {
        "log" => Log(),
        "page" => Log()[..70_000],
        "start" => Log()[..400],
        "bytes" => Skewed(),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "There is no such input."),
    };

    public static byte[] Read(string file)
    {
        using var stream = typeof(GoldenInputs).Assembly.GetManifestResourceStream("Golden/" + file)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static byte[] Log()
    {
        var numbers = new Numbers(1);
        var text = new StringBuilder();
        string[] levels = ["INFO", "WARN", "DEBUG"];
        string[] dishes = ["soup", "pizza", "ramen", "salad", "curry", "dosa", "tacos", "pasta"];
        int level = 0, dish = 0, amount = 0;
        for (var i = 0; i < 2400; i++)
        {
            if (numbers.Next(40) == 0) level = numbers.Next(3);
            if (numbers.Next(30) == 0) dish = numbers.Next(8);
            if (numbers.Next(20) == 0) amount = numbers.Next(5000);
            text.Append(
                CultureInfo.InvariantCulture,
                $"2026-01-17T08:{i / 60 % 60:00}:{i % 60:00}Z {levels[level]} order {i} {dishes[dish]} paid {amount} cents\n");
        }
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static byte[] Skewed()
    {
        var numbers = new Numbers(2);
        var bytes = new byte[3000];
        foreach (ref var value in bytes.AsSpan())
            value = (byte)Math.Min(Math.Min(numbers.Next(256), numbers.Next(256)), numbers.Next(256));
        return bytes;
    }

    /// <summary>Numbers that no library's change can change.</summary>
    private sealed class Numbers(long seed)
    {
        private long _state = seed;

        public int Next(int end)
        {
            _state = (_state * 1103515245 + 12345) & 0x7FFFFFFF;
            return (int)((_state >> 16) % end);
        }
    }
}
