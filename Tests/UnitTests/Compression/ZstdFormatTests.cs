using OrleansLog.Compression.Zstd;
using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Compression;

/// <summary>Frames made by hand, for what the tools never write or write seldom (RFC 8878).</summary>
public sealed class ZstdFormatTests
{
    // Magic, then a single segment with a size of one byte.
    private static byte[] Frame(byte size, params byte[] blocks) => [0x28, 0xB5, 0x2F, 0xFD, 0x20, size, .. blocks];

    private static byte[] LastBlock(int type, int size, params byte[] content) =>
        [(byte)(1 | (type << 1) | (size << 3)), (byte)(size >> 5), (byte)(size >> 13), .. content];

    private static byte[] Compressed(params byte[] content) => LastBlock(2, content.Length, content);

    private static byte[] Decode(byte[] frame) => Codec.Decompress(CompressionType.Zstd, frame, 1000);

    private static string Refusal(byte[] frame) => Assert.Throws<CorruptRecordException>(() => Decode(frame)).Message;

    [Fact]
    public void Literals_of_one_repeated_byte_are_read() =>
        Assert.Equal("aaaaaaaaaa"u8.ToArray(), Decode(Frame(10, Compressed((10 << 3) | 1, (byte)'a', 0))));

    [Fact]
    public void Tables_of_one_code_are_read()
    {
        // Two literals; one sequence: 2 literals, the first repeat offset (1), 8 bytes. No code has extra bits.
        var block = Compressed(2 << 3, (byte)'a', (byte)'b', 1, 0b01_01_01_00, 2, 0, 5, 0x01);

        Assert.Equal("abbbbbbbbb"u8.ToArray(), Decode(Frame(10, block)));
    }

    [Fact]
    public void A_match_before_the_start_is_refused()
    {
        // As above, but the second repeat offset (4) after 2 literals.
        var block = Compressed(2 << 3, (byte)'a', (byte)'b', 1, 0b01_01_01_00, 2, 1, 5, 0b10);

        Assert.Contains("before the start", Refusal(Frame(10, block)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_repeat_offset_of_nothing_is_refused()
    {
        // After no literals the third repeat is the first less one: 1 - 1.
        var block = Compressed(2 << 3, (byte)'a', (byte)'b', 1, 0b01_01_01_00, 0, 1, 5, 0b11);

        Assert.Contains("before the start", Refusal(Frame(10, block)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_stream_without_an_end_mark_is_refused() =>
        Assert.Contains("end mark", Refusal(Frame(10, Compressed(2 << 3, 1, 2, 1, 0b01_01_01_00, 2, 0, 5, 0))), StringComparison.Ordinal);

    [Fact]
    public void A_stream_with_bits_left_over_is_refused() =>
        Assert.Contains("does not hold", Refusal(Frame(10, Compressed(2 << 3, 1, 2, 1, 0b01_01_01_00, 2, 0, 5, 2))), StringComparison.Ordinal);

    [Fact]
    public void A_table_to_repeat_must_exist() =>
        Assert.Contains("there is none", Refusal(Frame(10, Compressed(2 << 3, 1, 2, 1, 0b11_01_01_00, 0, 5, 1))), StringComparison.Ordinal);

    [Fact]
    public void A_tree_to_reuse_must_exist() =>
        Assert.Contains("there is none", Refusal(Frame(10, Compressed(0b0011 | (10 << 4), 1 << 6, 0, 0x80, 0))), StringComparison.Ordinal);

    [Fact]
    public void Unknown_codes_are_refused() =>
        Assert.Contains("unknown", Refusal(Frame(10, Compressed(2 << 3, 1, 2, 1, 0b01_01_01_00, 36, 0, 5, 1))), StringComparison.Ordinal);

    [Fact]
    public void The_reserved_block_type_is_refused() =>
        Assert.Contains("reserved", Refusal(Frame(1, LastBlock(3, 1, 0))), StringComparison.Ordinal);

    [Fact]
    public void A_frame_that_holds_less_than_it_declares_is_refused() =>
        Assert.Contains("declares", Refusal(Frame(2, LastBlock(0, 1, 65))), StringComparison.Ordinal);

    [Fact]
    public void A_block_larger_than_the_window_is_refused() =>
        Assert.Contains("larger", Refusal(Frame(2, LastBlock(1, 3, 65))), StringComparison.Ordinal);

    [Fact]
    public void A_frame_with_a_dictionary_is_refused() =>
        Assert.Contains("dictionary", Refusal([0x28, 0xB5, 0x2F, 0xFD, 0x21, 7, 1, .. LastBlock(0, 1, 65)]), StringComparison.Ordinal);

    [Fact]
    public void A_wrong_checksum_is_refused()
    {
        var frame = GoldenInputs.Read("log.level1.zst");
        frame[^1] ^= 1;
        var refused = Assert.Throws<CorruptRecordException>(() => Codec.Decompress(CompressionType.Zstd, frame, 1 << 20));
        Assert.Contains("checksum", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_match_beyond_the_window_is_refused()
    {
        // Two blocks in a window of 1 KiB: 1,024 bytes and one, then a match 1,025 bytes back.
        byte[] frame =
        [
            0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x00,
            (1 << 1) | (1024 << 3 & 0xFF), 1024 >> 5, 0, (byte)'x',
            // One literal, then offset value 1,028 = 2^10 + 4 in ten extra bits, and the end mark above them.
            .. Compressed(1 << 3, (byte)'y', 1, 0b01_01_01_00, 1, 10, 0, 4, 0b100),
        ];
        var refused = Assert.Throws<CorruptRecordException>(() => Codec.Decompress(CompressionType.Zstd, frame, 5000));
        Assert.Contains("before the start", refused.Message, StringComparison.Ordinal);

        frame[^2] = 3;
        Assert.Equal(1024 + 1 + 3, Codec.Decompress(CompressionType.Zstd, frame, 5000).Length);
    }

    [Fact]
    public void Frames_without_content_and_skippable_ones_decode_to_nothing() =>
        Assert.Empty(Decode([0x50, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 9, 9, .. Frame(0, 1, 0, 0)]));

    [Theory]
    [InlineData(2)]
    [InlineData(30)]
    [InlineData(256)]
    public void Huffman_codes_are_complete_and_short_enough_however_uneven_the_counts(int symbols)
    {
        var histogram = new int[256];
        for (var i = 0; i < symbols; i++) histogram[i] = (int)Math.Min(1 << 22, Math.Pow(1.7, i));
        var lengths = new HuffmanLengths();

        lengths.Build(histogram);

        Assert.Equal(symbols, lengths.Lengths.ToArray().Count(length => length is > 0 and <= ZstdFormat.HuffmanBitsMax));
        Assert.Equal(
            1 << ZstdFormat.HuffmanBitsMax,
            lengths.Lengths.ToArray().Sum(length => length == 0 ? 0 : 1 << (ZstdFormat.HuffmanBitsMax - length)));
    }

    [Fact]
    public void A_distribution_is_read_as_it_was_written()
    {
        var random = new Random(21);
        for (var round = 0; round < 500; round++)
        {
            var histogram = new int[random.Next(2, 54)];
            foreach (ref var count in histogram.AsSpan()) count = random.Next(3) == 0 ? random.Next(1, 5000) : 0;
            histogram[^1] = 1;
            histogram[0] = random.Next(1, 100_000);
            var symbols = histogram.Count(count => count > 0);
            var accuracyLog = FseNormalizer.AccuracyLogFor(histogram.Sum(), symbols, 9);
            var counts = new short[histogram.Length];
            FseNormalizer.Normalize(histogram, histogram.Sum(), accuracyLog, counts);
            var bytes = new byte[200];
            var size = FseNormalizer.Write(counts, accuracyLog, bytes);
            var read = new short[histogram.Length];
            var at = 0;

            Assert.Equal(accuracyLog, FseDistribution.Read(bytes, ref at, size, read, 9));

            Assert.Equal(counts, read);
            Assert.Equal(size, at);
            Assert.Equal(1 << accuracyLog, counts.Sum(count => count));
            Assert.All(histogram.Zip(counts), pair => Assert.Equal(pair.First > 0, pair.Second > 0));
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(15, 15)]
    [InlineData(16, 16)]
    [InlineData(63, 24)]
    [InlineData(64, 25)]
    [InlineData(65536, 35)]
    [InlineData(131071, 35)]
    public void Literals_lengths_have_the_codes_of_the_table(int length, int code) =>
        Assert.Equal(code, SequenceCodes.LiteralsLengthCode(length));

    [Theory]
    [InlineData(3, 0)]
    [InlineData(34, 31)]
    [InlineData(35, 32)]
    [InlineData(98, 41)]
    [InlineData(99, 42)]
    [InlineData(130, 42)]
    [InlineData(131, 43)]
    [InlineData(131074, 52)]
    public void Match_lengths_have_the_codes_of_the_table(int length, int code) =>
        Assert.Equal(code, SequenceCodes.MatchLengthCode(length));

    [Fact]
    public void Predefined_distributions_fill_their_tables()
    {
        foreach (var codes in (SequenceCodes[])[SequenceCodes.LiteralsLength, SequenceCodes.MatchLength, SequenceCodes.Offset])
            Assert.Equal(1 << codes.PredefinedLog, codes.Predefined.Sum(count => Math.Abs((int)count)));
    }

    [Theory]
    [InlineData(1u, 4u, 8u)]
    [InlineData(7u, 6u, 5u)]
    public void Offsets_are_named_so_that_the_decoder_finds_them(uint first, uint second, uint third)
    {
        for (uint offset = 1; offset < 12; offset++)
        {
            foreach (var literals in (int[])[0, 1])
            {
                var encoder = new RepeatOffsets { First = first, Second = second, Third = third };
                var decoder = encoder;
                var value = encoder.Encode(offset, literals);
                Assert.Equal(offset, decoder.Decode(value, (uint)literals));
                Assert.Equal((encoder.First, encoder.Second, encoder.Third), (decoder.First, decoder.Second, decoder.Third));
            }
        }
    }
}
