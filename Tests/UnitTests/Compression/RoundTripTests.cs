using System.Buffers;
using OrleansLog.Compression;
using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Compression;

public sealed class RoundTripTests
{
    public static MatrixTheoryData<CompressionType, string> Cases => new(Codec.Types, Shapes.All);

    [Theory, MemberData(nameof(Cases))]
    public void What_was_compressed_comes_back(CompressionType type, string shape)
    {
        var original = Shapes.Make(shape);

        var compressed = Codec.Compress(type, original);

        Assert.Equal(original, Codec.Decompress(type, compressed, original.Length));
    }

    [Theory, MemberData(nameof(Cases))]
    public void Output_beyond_the_limit_is_refused_and_none_of_it_is_handed_out(CompressionType type, string shape)
    {
        var original = Shapes.Make(shape);
        if (original.Length == 0) return;
        var compressed = Codec.Compress(type, original);
        var output = new ArrayBufferWriter<byte>();

        Assert.Throws<CorruptRecordException>(
            () => CompressionCodecs.For(type).Decompress(compressed, output, original.Length - 1));

        Assert.Equal(0, output.WrittenCount);
    }

    [Theory, MemberData(nameof(Cases))]
    public void The_same_input_gives_the_same_output_whatever_was_compressed_before(CompressionType type, string shape)
    {
        var original = Shapes.Make(shape);
        var first = Codec.Compress(type, original);

        Codec.Compress(type, Shapes.Text(99, 10_000));

        Assert.Equal(first, Codec.Compress(type, original));
    }

    [Theory, MemberData(nameof(Cases))]
    public void What_does_not_shrink_hardly_grows(CompressionType type, string shape)
    {
        var original = Shapes.Make(shape);

        var compressed = Codec.Compress(type, original);

        Assert.InRange(compressed.Length, 0, original.Length + original.Length / 500 + 64);
    }

    [Theory]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Zstd)]
    public void Every_length_up_to_a_few_hundred_survives(CompressionType type)
    {
        var text = Shapes.Text(16, 600);
        var noise = Shapes.Noise(17, 600);
        for (var length = 0; length <= 600; length++)
        {
            Assert.Equal(text[..length], Codec.Decompress(type, Codec.Compress(type, text.AsSpan(0, length)), length));
            Assert.Equal(noise[..length], Codec.Decompress(type, Codec.Compress(type, noise.AsSpan(0, length)), length));
        }
    }

    [Fact]
    public void An_unknown_type_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => CompressionCodecs.For((CompressionType)5));

    [Fact]
    public void Each_compressor_knows_its_type() =>
        Assert.All(Codec.Types, type => Assert.Equal(type, CompressionCodecs.For(type).Type));
}
