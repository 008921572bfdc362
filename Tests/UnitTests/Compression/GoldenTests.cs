using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Compression;

/// <summary>Frames that the reference tools wrote.</summary>
public sealed class GoldenTests
{
    public static TheoryData<string> Files => [.. Names];

    private static IEnumerable<string> Names => typeof(GoldenTests).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith("Golden/", StringComparison.Ordinal))
        .Select(name => name["Golden/".Length..]);

    [Fact]
    public void There_are_frames_of_every_kind() =>
        Assert.Equal([".gzip", ".lz4", ".snappy", ".zst"], Names.Select(Path.GetExtension).Distinct().Order());

    [Theory, MemberData(nameof(Files))]
    public void What_the_reference_tools_wrote_is_read(string file)
    {
        var expected = GoldenInputs.Make(file[..file.IndexOf('.', StringComparison.Ordinal)]);

        Assert.Equal(expected, Codec.Decompress(TypeOf(file), GoldenInputs.Read(file), expected.Length));
    }

    [Theory, MemberData(nameof(Files))]
    public void The_limit_holds_for_what_the_reference_tools_wrote(string file)
    {
        var size = GoldenInputs.Make(file[..file.IndexOf('.', StringComparison.Ordinal)]).Length;
        var frame = GoldenInputs.Read(file);

        Assert.Throws<CorruptRecordException>(() => Codec.Decompress(TypeOf(file), frame, size - 1));
        Assert.Throws<CorruptRecordException>(() => Codec.Decompress(TypeOf(file), frame, 0));
    }

    [Theory, MemberData(nameof(Files))]
    public void A_frame_cut_short_is_refused(string file)
    {
        var frame = GoldenInputs.Read(file);
        // Joined frames and blocks may end where one ends; these are the ends that leave something whole.
        int[] whole = file == "log.frames.zst" ? [13, FirstZstdFrameEnd(frame), FirstZstdFrameEnd(frame) + 8] : [];
        var step = Math.Max(1, frame.Length / 4000);
        for (var length = 0; length < frame.Length; length += step)
        {
            if (file == "page.xerial.snappy" && IsAtXerialBlock(frame, length) || whole.Contains(length)) continue;
            Assert.Throws<CorruptRecordException>(
                () => Codec.Decompress(TypeOf(file), frame.AsSpan(0, length), 1 << 20));
        }
    }

    private static CompressionType TypeOf(string file) => Path.GetExtension(file) switch
    {
        ".gzip" => CompressionType.Gzip,
        ".lz4" => CompressionType.Lz4,
        ".snappy" => CompressionType.Snappy,
        _ => CompressionType.Zstd,
    };

    private static int FirstZstdFrameEnd(byte[] frames) => frames.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x50, 0x2A, 0x4D, 0x18]);

    private static bool IsAtXerialBlock(byte[] stream, int length)
    {
        var at = 16;
        while (at < length) at += 4 + System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(stream.AsSpan(at));
        return at == length;
    }
}
