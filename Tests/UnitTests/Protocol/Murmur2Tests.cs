using System.Text;
using OrleansLog.Protocol;
using Xunit;

namespace OrleansLog.UnitTests.Protocol;

public class Murmur2Tests
{
    // Computed with Kafka's own clients.
    [Theory]
    [InlineData("", 275646681)]
    [InlineData("a", -1563381124)]
    [InlineData("ab", 316155434)]
    [InlineData("abc", 479470107)]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    public void Keys_hash_as_with_other_clients(string key, int hash) =>
        Assert.Equal(hash, Murmur2.Compute(Encoding.ASCII.GetBytes(key)));

    [Fact]
    public void A_partition_is_never_negative()
    {
        Assert.Equal(0, Murmur2.ToPositive(int.MinValue));
        Assert.Equal(int.MaxValue, Murmur2.ToPositive(-1));
        Assert.Equal((-973932308 & 0x7fffffff) % 7, Murmur2.PartitionFor("21"u8, 7));
    }
}
