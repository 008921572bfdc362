using OrleansLog.Compression.Hashing;
using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Compression;

/// <summary>LZ4 frames, raw and framed snappy, and gzip members made by hand or bent.</summary>
public sealed class Lz4FormatTests
{
    private static byte[] Frame(byte flags, byte blockDescriptor, params byte[] rest) =>
    [
        0x04, 0x22, 0x4D, 0x18, flags, blockDescriptor, (byte)(XxHash32.Compute([flags, blockDescriptor]) >> 8), .. rest,
    ];

    private static byte[] Block(params byte[] content) => [(byte)content.Length, 0, 0, 0, .. content, 0, 0, 0, 0];

    private static byte[] Decode(byte[] frame) => Codec.Decompress(CompressionType.Lz4, frame, 1000);

    private static string Refusal(byte[] frame) => Assert.Throws<CorruptRecordException>(() => Decode(frame)).Message;

    [Fact]
    public void What_is_written_is_what_Kafkas_java_client_reads()
    {
        var frame = Codec.Compress(CompressionType.Lz4, Shapes.Text(1, 1000));

        Assert.Equal([0x04, 0x22, 0x4D, 0x18, 0x60, 0x40, 0x82], frame[..7]);
        Assert.Equal([0, 0, 0, 0], frame[^4..]);
    }

    [Fact]
    public void A_match_may_overlap_itself() =>
        Assert.Equal("abababababZZ"u8.ToArray(), Decode(Frame(0x60, 0x40, Block(0x24, (byte)'a', (byte)'b', 2, 0, 0x20, (byte)'Z', (byte)'Z'))));

    [Fact]
    public void A_match_of_no_distance_is_refused() =>
        Assert.Contains("before the start", Refusal(Frame(0x60, 0x40, Block(0x24, 65, 66, 0, 0, 0x00))), StringComparison.Ordinal);

    [Fact]
    public void A_match_before_the_start_is_refused() =>
        Assert.Contains("before the start", Refusal(Frame(0x60, 0x40, Block(0x24, 65, 66, 3, 0, 0x00))), StringComparison.Ordinal);

    [Fact]
    public void An_independent_block_may_not_reach_into_the_one_before()
    {
        byte[] blocks = [.. Block(0x20, 65, 66)[..^4], .. Block(0x04, 1, 0, 0x00)];

        Assert.Contains("before the start", Refusal(Frame(0x60, 0x40, blocks)), StringComparison.Ordinal);
        Assert.Equal("ABBBBBBBBB"u8.ToArray(), Decode(Frame(0x40, 0x40, blocks)));
    }

    [Fact]
    public void A_wrong_header_checksum_is_refused()
    {
        var frame = Codec.Compress(CompressionType.Lz4, [1, 2, 3]);
        frame[6] ^= 1;
        Assert.Contains("header has a wrong checksum", Refusal(frame), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0xA0, 0x40, "version")]
    [InlineData(0x62, 0x40, "reserved")]
    [InlineData(0x60, 0xC0, "reserved")]
    [InlineData(0x60, 0x30, "block size")]
    [InlineData(0x61, 0x40, "dictionary")]
    public void Unknown_headers_are_refused(byte flags, byte blockDescriptor, string why) =>
        Assert.Contains(why, Refusal(Frame(flags, blockDescriptor, 0, 0, 0, 0)), StringComparison.Ordinal);

    [Fact]
    public void A_wrong_content_or_block_checksum_is_refused()
    {
        var frame = GoldenInputs.Read("page.checks.lz4");
        frame[^1] ^= 1;
        Assert.Contains("frame has a wrong checksum", Refused(frame), StringComparison.Ordinal);
        frame[^9] ^= 1;
        Assert.Contains("block has a wrong checksum", Refused(frame), StringComparison.Ordinal);

        static string Refused(byte[] frame) => Assert
            .Throws<CorruptRecordException>(() => Codec.Decompress(CompressionType.Lz4, frame, 1 << 20)).Message;
    }

    [Theory]
    [InlineData("", 0x02CC5D05u, 0xEF46DB3751D8E999ul)]
    [InlineData("a", 0x550D7456u, 0xD24EC4F1A98C6E5Bul)]
    [InlineData("abc", 0x32D153FFu, 0x44BC2CF5AD770999ul)]
    [InlineData("Nobody inspects the spammish repetition", 0xE2293B2Fu, 0xFBCEA83C8A378BF1ul)]
    public void Hashes_are_the_published_ones(string text, uint hash32, ulong hash64)
    {
        var bytes = System.Text.Encoding.ASCII.GetBytes(text);

        Assert.Equal(hash32, XxHash32.Compute(bytes));
        Assert.Equal(hash64, XxHash64.Compute(bytes));
    }
}
