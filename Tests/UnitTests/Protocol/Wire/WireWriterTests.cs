using System.Buffers;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.UnitTests.Protocol.Wire;

public sealed class WireWriterTests
{
    private readonly ArrayBufferWriter<byte> _output = new();

    [Theory]
    [InlineData(false, "fffffffe8001ffff00000007")]
    [InlineData(true, "fffffffe80010008")]
    public void Values_are_big_endian_and_lengths_as_the_version_has_them(bool isFlexible, string hex)
    {
        var writer = new WireWriter(_output, 0, isFlexible);
        writer.WriteInt32(-2);
        writer.WriteUnsignedVarint(128);
        writer.WriteNullableString(null);
        writer.WriteBytesLength(7);
        writer.Flush();
        Assert.Equal(hex, Convert.ToHexStringLower(_output.WrittenSpan));
    }

    [Fact]
    public void Large_byte_strings_pass_through_whole()
    {
        var large = new byte[300_000];
        new Random(1).NextBytes(large);
        var writer = new WireWriter(_output);
        writer.WriteInt16(5);
        writer.WriteBytes(large);
        writer.WriteInt16(6);
        writer.Flush();

        var reader = new WireReader(_output.WrittenMemory);
        Assert.Equal(5, reader.ReadInt16());
        Assert.Equal(large, reader.ReadBytes().ToArray());
        Assert.Equal(6, reader.ReadInt16());
        Assert.Equal((0, (long)_output.WrittenCount), (reader.Remaining, writer.Position));
    }

    [Fact]
    public void The_longest_string_fits_and_a_longer_one_is_misuse()
    {
        var writer = new WireWriter(_output, 0, isFlexible: true);
        writer.WriteString(new string('a', WireReader.StringBytesMax));
        writer.Flush();
        Assert.Equal(WireReader.StringBytesMax + 3, _output.WrittenCount);
        Assert.Throws<InvalidOperationException>(
            () => new WireWriter(_output).WriteString(new string('ö', WireReader.StringBytesMax / 2 + 1)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_null_is_written_only_where_the_version_knows_it(short version)
    {
        var everything = new MetadataRequest { Topics = null };
        if (version == 1) Assert.Equal(4, EveryMessage.Write(everything, ApiKey.Metadata, version).Length);
        else Assert.Throws<InvalidOperationException>(() => EveryMessage.Write(everything, ApiKey.Metadata, version));
    }

    [Fact]
    public void Writing_without_tags_allocates_nothing()
    {
        var response = new MetadataResponse
        {
            Topics = [new() { Name = "orders", Partitions = [new() { IsrNodes = [1] }] }],
        };
        WriteOnce(response);
        _output.ResetWrittenCount();
        var before = GC.GetAllocatedBytesForCurrentThread();
        WriteOnce(response);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private void WriteOnce(MetadataResponse response)
    {
        var writer = new WireWriter(_output, 12, isFlexible: true);
        writer.Write(response);
        writer.Flush();
    }
}
