using System.Text;
using OrleansLog.Protocol;
using Xunit;

namespace OrleansLog.UnitTests.Protocol;

public class Crc32CTests
{
    [Theory]
    [InlineData("", 0u)]
    [InlineData("a", 0xC1D04330u)]
    [InlineData("123456789", 0xE3069283u)]
    public void The_check_values_of_text_come_out(string text, uint crc) =>
        Assert.Equal(crc, Crc32C.Compute(Encoding.ASCII.GetBytes(text)));

    // RFC 3720, appendix B.4.
    [Fact]
    public void The_vectors_of_the_iSCSI_standard_come_out()
    {
        var ascending = Enumerable.Range(0, 32).Select(i => (byte)i).ToArray();

        Assert.Equal(0x8A9136AAu, Crc32C.Compute(new byte[32]));
        Assert.Equal(0x62A8AB43u, Crc32C.Compute(Enumerable.Repeat((byte)0xff, 32).ToArray()));
        Assert.Equal(0x46DD794Eu, Crc32C.Compute(ascending));
        Assert.Equal(0x113FDB5Cu, Crc32C.Compute(ascending.Reverse().ToArray()));
    }

    [Fact]
    public void Short_inputs_of_every_length_agree_with_the_definition()
    {
        var bytes = RandomBytes(1700);

        for (var length = 0; length < 1690; length++)
        {
            var source = bytes.AsSpan(length % 9, length);
            Assert.Equal(BitByBit(source), Crc32C.Compute(source));
        }
    }

    // 768 and 12,288 bytes are where three lanes of either length begin to be read.
    [Theory]
    [InlineData(767)]
    [InlineData(768)]
    [InlineData(12_287)]
    [InlineData(12_288)]
    [InlineData(12_289)]
    [InlineData(13_055)]
    [InlineData(13_056)]
    [InlineData(24_576)]
    [InlineData(100_003)]
    public void Inputs_read_in_lanes_agree_with_the_definition(int length)
    {
        var bytes = RandomBytes(length + 1);

        Assert.Equal(BitByBit(bytes.AsSpan(1)), Crc32C.Compute(bytes.AsSpan(1)));
    }

    [Fact]
    public void Pieces_add_up_to_the_whole()
    {
        var bytes = RandomBytes(30_000);
        var whole = Crc32C.Compute(bytes);

        for (var cut = 0; cut <= bytes.Length; cut += 997)
        {
            Assert.Equal(whole, Crc32C.Append(Crc32C.Compute(bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
        }
    }

    private static byte[] RandomBytes(int count)
    {
        var bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    private static uint BitByBit(ReadOnlySpan<byte> source)
    {
        const uint Polynomial = 0x82F63B78;
        var crc = uint.MaxValue;
        foreach (var value in source)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ Polynomial : crc >> 1;
            }
        }
        return ~crc;
    }
}
