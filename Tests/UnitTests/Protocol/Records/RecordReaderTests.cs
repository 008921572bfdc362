using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using Xunit;

namespace OrleansLog.UnitTests.Protocol.Records;

public class RecordReaderTests
{
    // Length, attributes, timestamp delta, offset delta, key, value, headers.
    [Theory]
    [InlineData("", "no record at all")]
    [InlineData("0E", "no body")]
    [InlineData("00", "an empty body")]
    [InlineData("FFFFFFFF0F", "a negative length")]
    [InlineData("FEFFFFFF0F" + "0000000101" + "00", "a length past the end")]
    [InlineData("0A" + "00" + "00" + "00" + "01" + "01", "no header count")]
    [InlineData("0C" + "00" + "00" + "00" + "03" + "01" + "00", "a key length of -2")]
    [InlineData("0C" + "00" + "00" + "00" + "08" + "01" + "00", "a key past the end of its record")]
    [InlineData("0C" + "00" + "00" + "00" + "01" + "04" + "00", "a value past the end of its record")]
    [InlineData("0C" + "00" + "00" + "00" + "01" + "01" + "01", "a header count of -1")]
    [InlineData("14" + "00" + "00" + "00" + "01" + "01" + "FEFFFFFF0F", "two thousand million headers")]
    [InlineData("10" + "00" + "00" + "00" + "01" + "01" + "02" + "01" + "01", "a header with a null name")]
    [InlineData("0E" + "00" + "00" + "00" + "01" + "01" + "00" + "00", "a byte too many in the record")]
    [InlineData("0C" + "00" + "00" + "00" + "01" + "01" + "00" + "00", "a byte too many after the last record")]
    [InlineData("0C" + "00" + "00" + "01" + "01" + "01" + "00", "an offset before that of the batch")]
    [InlineData("0C" + "00" + "00" + "02" + "01" + "01" + "00", "an offset after the last of the batch")]
    public void Malformed_records_are_corrupt(string hex, string what)
    {
        var header = new RecordBatchHeader { RecordCount = 1, LastOffsetDelta = 0 };

        var error = Assert.Throws<CorruptRecordException>(
            () => SampleRecords.ReadAll(header, Convert.FromHexString(hex)));

        Assert.True(error.Position >= 0 && error.Position <= hex.Length / 2, what);
    }

    [Fact]
    public void Offsets_that_do_not_rise_are_corrupt()
    {
        var header = new RecordBatchHeader { RecordCount = 2, LastOffsetDelta = 1 };
        var record = Convert.FromHexString("0C" + "00" + "00" + "02" + "01" + "01" + "00");

        Assert.Throws<CorruptRecordException>(() => SampleRecords.ReadAll(header, [.. record, .. record]));
    }

    [Fact]
    public void Gaps_that_compaction_left_are_read()
    {
        var header = new RecordBatchHeader { BaseOffset = new(100), RecordCount = 2, LastOffsetDelta = 9 };
        var bytes = Convert.FromHexString("0C000006010100" + "0C00000E010100");
        var reader = new RecordReader(header, bytes);

        Assert.True(reader.TryRead(out var record));
        Assert.Equal(new Offset(103), record.Offset);
        Assert.True(reader.TryRead(out record));
        Assert.Equal(new Offset(107), record.Offset);
        Assert.False(reader.TryRead(out _));
        Assert.False(reader.TryRead(out _));
    }
}
