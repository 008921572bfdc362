using System.Text;
using OrleansLog.Cli;
using OrleansLog.Cli.Formats;
using OrleansLog.Cli.Output;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Cli;

public class WriterTests
{
    private static readonly LinePrefix NoPrefix = new(false, false);

    [Fact]
    public void Values_are_written_byte_for_byte()
    {
        byte[] odd = [0xFF, 0x00, 0xC3, 0x28, 0x0D];
        Assert.Equal([.. odd, (byte)'\n'], Write(new ValueWriter(NoPrefix, null), null, odd));
    }

    [Theory]
    [InlineData(null, null, ":\n")]
    [InlineData("", "", ":\n")]
    [InlineData("k", "v", "k:v\n")]
    public void Keys_and_values_have_the_separator_between_them(string? key, string? value, string expected) =>
        Assert.Equal(expected, Text(new KeyValueWriter(NoPrefix, ":"u8.ToArray(), null), key, value));

    [Fact]
    public void Nulls_are_shown_as_asked_for()
    {
        var text = "NULL"u8.ToArray();
        Assert.Equal("NULL:NULL\n", Text(new KeyValueWriter(NoPrefix, ":"u8.ToArray(), text), null, null));
        Assert.Equal(":\n", Text(new KeyValueWriter(NoPrefix, ":"u8.ToArray(), text), "", ""));
        Assert.Equal("NULL\n", Text(new ValueWriter(NoPrefix, text), "k", null));
    }

    [Fact]
    public void Offsets_and_times_stand_before_the_line_if_asked_for() =>
        Assert.Equal("4\t0\t2025-06-01T12:00:00.000Z\tv\n", Text(new ValueWriter(new LinePrefix(true, true), null), "k", "v"));

    [Fact]
    public void Json_shows_the_whole_record() => Assert.Equal(
        """{"topic":"t","partition":4,"offset":0,"timestamp":1748779200000,"key":"k","value":"sö\"\n","headers":[{"key":"h","value":"x"},{"key":"n","value":null}]}""" + "\n",
        Text(new JsonWriter(), "k", "sö\"\n", new RecordHeader("h", "x"u8.ToArray()), new RecordHeader("n", default(ReadOnlyMemory<byte>?))));

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFE })]
    [InlineData(new byte[0])]
    [InlineData(null)]
    [InlineData(new byte[] { 0, 10, 34, 92, 127 })]
    public void What_json_writes_it_reads_back_exactly(byte[]? bytes)
    {
        var line = Write(new JsonWriter(), bytes, bytes, new RecordHeader("h", bytes ?? default(ReadOnlyMemory<byte>?)));
        var record = new JsonParser(new RecordTemplate()).Parse(line.AsSpan(0, line.Length - 1));
        Assert.Equal(bytes, record.HasKey ? record.Key.ToArray() : null);
        Assert.Equal(bytes, record.IsTombstone ? null : record.Value.ToArray());
        Assert.Equal(bytes, record.Headers[0].Value?.ToArray());
        Assert.Equal(4, record.Partition);
        Assert.Equal(1748779200000, record.TimestampMs);
    }

    [Fact]
    public void Records_larger_than_the_buffer_pass_in_order()
    {
        using var stream = new MemoryStream();
        var output = new RecordOutput(stream, bufferBytes: 8);
        var expected = new StringBuilder();
        for (var length = 0; length < 40; length++)
        {
            var text = new string((char)('a' + (length % 26)), length);
            output.Write(Encoding.ASCII.GetBytes(text));
            output.Write((byte)'\n');
            expected.Append(text).Append('\n');
        }
        output.Flush();
        Assert.Equal(expected.ToString(), Encoding.ASCII.GetString(stream.ToArray()));
        Assert.Equal(stream.Length, output.TotalBytes);
    }

    [Fact]
    public void A_reader_that_went_away_is_told_apart_from_other_errors()
    {
        var pipe = new RecordOutput(new FailingStream(new IOException("Broken pipe", 32)));
        pipe.Write((byte)'x');
        Assert.Throws<OutputClosedException>(pipe.Flush);
        var disk = new RecordOutput(new FailingStream(new IOException("No space left on device", 28)));
        disk.Write((byte)'x');
        Assert.Throws<IOException>(disk.Flush);
    }

    private static string Text(IRecordWriter writer, string? key, string? value, params RecordHeader[] headers) =>
        Encoding.UTF8.GetString(Write(writer, key is null ? null : Encoding.UTF8.GetBytes(key), value is null ? null : Encoding.UTF8.GetBytes(value), headers));

    private static byte[] Write(IRecordWriter writer, byte[]? key, byte[]? value, params RecordHeader[] headers)
    {
        using var builder = new RecordBatchBuilder(10_000);
        Assert.True(builder.TryAppend(1748779200000, key, key is null, value, value is null, headers));
        var batch = builder.Build().Span;
        Assert.Equal(ErrorCode.None, RecordBatchHeader.TryRead(batch, out var header));
        var reader = new RecordReader(header, batch[RecordBatchHeader.Size..]);
        Assert.True(reader.TryRead(out var record));
        using var stream = new MemoryStream();
        var output = new RecordOutput(stream);
        writer.Write(record, new TopicPartition("t", 4), output);
        output.Flush();
        return stream.ToArray();
    }

    private sealed class FailingStream(IOException error) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw error;
    }
}
