using System.Buffers;
using OrleansLog.Compression;
using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Compression;

/// <summary>Valid frames with seeded damage: each decodes to something within the limit, or is refused the documented way.</summary>
public sealed class MutationTests
{
    private const int MutationsPerFrame = 400;
    private const int OutputMax = 600_000;

    [Theory]
    [InlineData(CompressionType.Gzip, 1)]
    [InlineData(CompressionType.Snappy, 2)]
    [InlineData(CompressionType.Lz4, 3)]
    [InlineData(CompressionType.Zstd, 4)]
    public void Damaged_frames_are_refused_or_stay_within_the_limit(CompressionType type, int seed)
    {
        var random = new Random(seed);
        var refused = 0;
        var frames = Frames(type).ToArray();
        foreach (var frame in frames)
        {
            for (var i = 0; i < MutationsPerFrame; i++)
            {
                if (!TryDecode(type, Mutate(frame, random))) refused++;
            }
        }
        Assert.InRange(refused, MutationsPerFrame * frames.Length / 10, MutationsPerFrame * frames.Length);
    }

    [Theory]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Zstd)]
    public void Noise_is_refused_or_stays_within_the_limit(CompressionType type)
    {
        for (var seed = 0; seed < 2000; seed++) TryDecode(type, Shapes.Noise(seed, seed % 300));
    }

    private static IEnumerable<byte[]> Frames(CompressionType type)
    {
        foreach (var shape in (string[])["one byte", "run of 100", "text 1 KiB", "short period", "random 1 KiB", "records of numbers"])
            yield return Codec.Compress(type, Shapes.Make(shape).AsSpan(0, Math.Min(200_000, Shapes.Make(shape).Length)));
        var extension = type switch
        {
            CompressionType.Gzip => ".gzip",
            CompressionType.Snappy => ".snappy",
            CompressionType.Lz4 => ".lz4",
            _ => ".zst",
        };
        foreach (var name in typeof(MutationTests).Assembly.GetManifestResourceNames())
        {
            if (name.StartsWith("Golden/", StringComparison.Ordinal) && name.EndsWith(extension, StringComparison.Ordinal))
                yield return GoldenInputs.Read(name["Golden/".Length..]);
        }
    }

    private static bool TryDecode(CompressionType type, ReadOnlySpan<byte> frame)
    {
        var output = new ArrayBufferWriter<byte>();
        try
        {
            CompressionCodecs.For(type).Decompress(frame, output, OutputMax);
        }
        catch (CorruptRecordException)
        {
            Assert.Equal(0, output.WrittenCount);
            return false;
        }
        Assert.InRange(output.WrittenCount, 0, OutputMax);
        return true;
    }

    private static byte[] Mutate(byte[] frame, Random random)
    {
        var mutated = frame.ToArray();
        // Headers and tables are near the front, where damage goes deepest.
        int Anywhere() => random.Next(2) == 0 ? random.Next(mutated.Length) : random.Next(Math.Min(60, mutated.Length));
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            switch (random.Next(6))
            {
                case 0: mutated[Anywhere()] ^= (byte)(1 << random.Next(8)); break;
                case 1: mutated[Anywhere()] = (byte)random.Next(256); break;
                case 2: mutated[Anywhere()] = byte.MaxValue; break;
                case 3: mutated = mutated[..random.Next(1, mutated.Length + 1)]; break;
                case 4: mutated = [.. mutated, .. Shapes.Noise(random.Next(), random.Next(1, 20))]; break;
                default:
                    var (from, to) = (Anywhere(), Anywhere());
                    var length = Math.Min(random.Next(1, 50), mutated.Length - Math.Max(from, to));
                    mutated.AsSpan(from, length).CopyTo(mutated.AsSpan(to));
                    break;
            }
        }
        return mutated;
    }
}
