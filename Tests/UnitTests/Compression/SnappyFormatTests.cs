using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Compression;

/// <summary>Raw snappy blocks and xerial's framing, made by hand.</summary>
public sealed class SnappyFormatTests
{
    private static readonly byte[] Header = [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1];

    private static byte[] Decode(params byte[] source) => Codec.Decompress(CompressionType.Snappy, source, 1000);

    private static void AssertRefused(params byte[] source) => Assert.Throws<CorruptRecordException>(() => Decode(source));

    [Fact]
    public void What_is_written_is_framed_as_the_java_client_does() =>
        Assert.Equal([.. Header, 0, 0, 0, 5, 3, 2 << 2, 7, 8, 9], Codec.Compress(CompressionType.Snappy, [7, 8, 9]));

    [Fact]
    public void Every_kind_of_element_is_read()
    {
        byte[] block =
        [
            28, 2 << 2, 1, 2, 3, // three literals
            1 | (2 << 2), 3, // a short copy of 6 from 3 back
            2 | (8 << 2), 9, 0, // a copy of 9
            3 | (5 << 2), 18, 0, 0, 0, // a far copy of 6
            60 << 2, 3, 9, 8, 7, 6, // four literals behind a length byte
        ];
        byte[] expected = [.. Enumerable.Range(0, 24).Select(i => (byte)(i % 3 + 1)), 9, 8, 7, 6];

        Assert.Equal(expected, Decode(block));
        Assert.Equal([.. expected, .. expected], Decode([.. Header, 0, 0, 0, (byte)block.Length, .. block, .. Header, 0, 0, 0, (byte)block.Length, .. block]));
    }

    [Fact]
    public void Copies_from_nowhere_are_refused()
    {
        AssertRefused(8, 0, 1, 1 | (3 << 2), 0);
        AssertRefused(8, 0, 1, 1 | (3 << 2), 2);
        AssertRefused(8, 0, 1, 3 | (6 << 2), 0xFF, 0xFF, 0xFF, 0xFF);
    }

    [Fact]
    public void Lengths_that_do_not_agree_are_refused()
    {
        AssertRefused();
        AssertRefused(2, 0, 1);
        AssertRefused(1, 1 << 2, 1, 2);
        AssertRefused(5, 4 << 2, 1, 2);
        AssertRefused(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01);
        AssertRefused(0x80);
        AssertRefused(0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 63 << 2, 0xFE, 0xFF, 0xFF, 0xFF, 1, 2, 3);
    }

    [Fact]
    public void Bad_framing_is_refused()
    {
        AssertRefused([.. Header, 0, 0, 0]);
        AssertRefused([.. Header, 0, 0, 0, 4, 1, 0, 5]);
        AssertRefused([.. Header, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 5]);
        AssertRefused([.. Header[..15], 2, 0, 0, 0, 3, 1, 0, 5]);
    }
}
