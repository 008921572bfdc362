using System.Buffers;
using OrleansLog.Protocol;
using Xunit;

namespace OrleansLog.UnitTests.Protocol;

public class PooledBufferWriterTests
{
    [Fact]
    public void Bytes_stay_in_order_while_the_buffer_grows()
    {
        using var writer = new PooledBufferWriter();
        var bytes = new byte[10_000];
        new Random(7).NextBytes(bytes);

        foreach (var piece in bytes.Chunk(77))
        {
            writer.Write(piece);
        }

        Assert.Equal(bytes, writer.WrittenSpan.ToArray());
    }

    [Fact]
    public void A_buffer_larger_than_what_is_to_be_kept_goes_back()
    {
        using var writer = new PooledBufferWriter();
        writer.GetSpan(5000);

        writer.Clear(keepBytesMax: 100_000);
        Assert.True(writer.Capacity >= 5000);

        writer.Clear(keepBytesMax: 1000);
        Assert.Equal(0, writer.Capacity);
    }

    [Fact]
    public void More_cannot_be_claimed_than_was_handed_out()
    {
        using var writer = new PooledBufferWriter();
        var handedOut = writer.GetSpan(10).Length;

        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Advance(handedOut + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Advance(-1));
    }
}
