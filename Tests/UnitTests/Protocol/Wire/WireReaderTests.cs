using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Protocol.Wire;

public sealed class WireReaderTests
{
    [Theory]
    [InlineData("00", 0)]
    [InlineData("7f", 127)]
    [InlineData("8001", 128)]
    [InlineData("ac02", 300)]
    [InlineData("ffffffff0f", uint.MaxValue)]
    public void Varints_are_read(string hex, uint value) => Assert.Equal(value, Reader(hex).ReadUnsignedVarint());

    [Theory]
    [InlineData("ffffffff1f", "longer than 32 bits")]
    [InlineData("8080808080808001", "longer than 32 bits")]
    [InlineData("ff", "needs 1 bytes, 0 remain")]
    public void Varints_that_do_not_fit_are_refused(string hex, string problem) =>
        Refused("varint", problem, () => Reader(hex).ReadUnsignedVarint());

    [Theory]
    [InlineData("0005616263", false, "needs 5 bytes, 3 remain")]
    [InlineData("ffff", false, "null where none may be")]
    [InlineData("06616263", true, "needs 5 bytes, 3 remain")]
    [InlineData("00", true, "null where none may be")]
    [InlineData("818002", true, "32768 is more than the 32767 that can be here")]
    [InlineData("ffffffff0f", true, "length 4294967294 is out of range")]
    public void Strings_that_do_not_fit_are_refused(string hex, bool isFlexible, string problem) =>
        Refused("string", problem, () => Reader(hex, isFlexible).ReadString());

    [Theory]
    [InlineData("0000000501", false, "needs 5 bytes, 1 remain")]
    [InlineData("7fffffff", false, "needs 2147483647 bytes, 0 remain")]
    [InlineData("0601", true, "needs 5 bytes, 1 remain")]
    public void Byte_strings_that_do_not_fit_are_refused(string hex, bool isFlexible, string problem) =>
        Refused("bytes", problem, () => Reader(hex, isFlexible).ReadBytes());

    [Theory]
    [InlineData("7fffffff00000000", false, "2147483647 is more than the 4 that can be here")]
    [InlineData("ffffffff", false, "null where none may be")]
    [InlineData("0400", true, "3 is more than the 1 that can be here")]
    public void Array_counts_beyond_the_bytes_that_remain_are_refused(string hex, bool isFlexible, string problem) =>
        Refused("array", problem, () => Reader(hex, isFlexible).ReadArrayCount());

    [Fact]
    public void A_message_may_not_claim_elements_without_end()
    {
        var frame = new byte[WireReader.ElementsMax / 2 + 64];
        for (var i = 0; i < 3; i++) BitConverter.TryWriteBytes(frame.AsSpan(4 * i), 0x00_00_20_00); // 2 Mi, big-endian
        Refused("array", "more than 4194304 elements in one message", () =>
        {
            var reader = new WireReader(frame);
            for (var i = 0; i < 3; i++) reader.ReadArrayCount();
        });
        var tooMany = new byte[WireReader.ElementsMax + 5];
        Assert.True(BitConverter.TryWriteBytes(tooMany, 0x01_00_40_00)); // 4 Mi and one, big-endian
        Refused("array", "more than 4194304 elements in one message", () => new WireReader(tooMany).ReadArrayCount());
    }

    [Fact]
    public void A_refusal_says_where_it_stood()
    {
        var refusal = Assert.Throws<MalformedMessageException>(() =>
        {
            var reader = Reader("0001020304");
            reader.ReadInt16();
            reader.ReadInt64();
        });
        Assert.Equal(("int64", 2), (refusal.Field, refusal.Position));
        Assert.Equal("Malformed int64 at byte 2: needs 8 bytes, 3 remain.", refusal.Message);
    }

    [Fact]
    public void Byte_strings_are_slices_of_the_frame()
    {
        var frame = Convert.FromHexString("0000000201020000000103");
        var reader = new WireReader(frame);
        var first = reader.ReadBytes();
        frame[4] = 9;
        Assert.Equal<byte>([9, 2], first.ToArray());
        Assert.Equal<byte>([3], reader.ReadBytes().ToArray());
        Assert.Equal((11, 0), (reader.Position, reader.Remaining));
    }

    private static WireReader Reader(string hex, bool isFlexible = false) =>
        new(Convert.FromHexString(hex), 0, isFlexible);

    private static void Refused(string field, string problem, Action read)
    {
        var refusal = Assert.Throws<MalformedMessageException>(read);
        Assert.Equal(field, refusal.Field);
        Assert.Contains(problem, refusal.Message, StringComparison.Ordinal);
    }
}
