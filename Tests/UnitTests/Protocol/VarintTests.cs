using OrleansLog.Protocol;
using Xunit;

namespace OrleansLog.UnitTests.Protocol;

public class VarintTests
{
    [Theory]
    [InlineData(0, "00")]
    [InlineData(-1, "01")]
    [InlineData(1, "02")]
    [InlineData(63, "7E")]
    [InlineData(-64, "7F")]
    [InlineData(64, "8001")]
    [InlineData(-65, "8101")]
    [InlineData(8191, "FE7F")]
    [InlineData(8192, "808001")]
    [InlineData(int.MaxValue, "FEFFFFFF0F")]
    [InlineData(int.MinValue, "FFFFFFFF0F")]
    public void Signed_numbers_have_the_bytes_of_the_format(int value, string hex)
    {
        var bytes = new byte[Varint.MaxBytes64];

        Assert.Equal(hex, Convert.ToHexString(bytes, 0, Varint.Write(bytes, value)));
        Assert.Equal(hex, Convert.ToHexString(bytes, 0, Varint.Write(bytes, (long)value)));
        Assert.Equal(hex.Length / 2, Varint.TryRead(bytes, out int back));
        Assert.Equal(value, back);
    }

    [Theory]
    [InlineData(0u, "00")]
    [InlineData(127u, "7F")]
    [InlineData(128u, "8001")]
    [InlineData(300u, "AC02")]
    [InlineData(uint.MaxValue, "FFFFFFFF0F")]
    public void Unsigned_numbers_have_the_bytes_of_the_format(uint value, string hex)
    {
        var bytes = new byte[Varint.MaxBytes32];

        Assert.Equal(hex, Convert.ToHexString(bytes, 0, Varint.WriteUnsigned(bytes, value)));
        Assert.Equal(hex.Length / 2, Varint.TryReadUnsigned(bytes, out uint back));
        Assert.Equal(value, back);
    }

    [Fact]
    public void Sizes_and_round_trips_hold_around_every_power_of_two()
    {
        var bytes = new byte[Varint.MaxBytes64];
        for (var power = 0; power < 64; power++)
        {
            foreach (var value in new[] { (1L << power) - 1, 1L << power, -(1L << power), ~(1L << power) })
            {
                var length = Varint.Write(bytes, value);
                Assert.Equal(length, Varint.SizeOf(value));
                Assert.Equal(length, Varint.TryRead(bytes, out long back));
                Assert.Equal(value, back);
                Assert.Equal(Varint.Write(bytes, (int)value), Varint.SizeOf((int)value));
                Assert.Equal(Varint.WriteUnsigned(bytes, (uint)value), Varint.SizeOfUnsigned((uint)value));
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("80")]
    [InlineData("FFFFFFFF")]
    [InlineData("FFFFFFFF1F")]
    [InlineData("808080808000")]
    [InlineData("FFFFFFFFFFFFFFFFFF01")]
    public void What_ends_early_or_exceeds_32_bits_is_refused(string hex) =>
        Assert.Equal(0, Varint.TryRead(Convert.FromHexString(hex), out int _));

    [Theory]
    [InlineData("FFFFFFFFFFFFFFFFFF02")]
    [InlineData("FFFFFFFFFFFFFFFFFFFF01")]
    [InlineData("FFFFFFFFFFFFFFFFFF")]
    public void What_ends_early_or_exceeds_64_bits_is_refused(string hex) =>
        Assert.Equal(0, Varint.TryRead(Convert.FromHexString(hex), out long _));
}
