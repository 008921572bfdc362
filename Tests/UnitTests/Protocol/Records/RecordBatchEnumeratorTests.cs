using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using Xunit;

namespace OrleansLog.UnitTests.Protocol.Records;

public class RecordBatchEnumeratorTests
{
    private static readonly byte[][] Batches = [.. Enumerable.Range(1, 3).Select(SampleRecords.SomeBatch)];
    private static readonly byte[] Joined = [.. Batches.SelectMany(batch => batch)];

    [Fact]
    public void Batches_come_one_after_another()
    {
        var batches = new RecordBatchEnumerator(Joined);
        var position = 0;
        foreach (var expected in Batches)
        {
            Assert.True(batches.MoveNext());
            Assert.Equal(expected, batches.Current.Bytes.ToArray());
            Assert.Equal(expected[RecordBatchHeader.Size..], batches.Current.Records.ToArray());
            Assert.Equal(position, batches.Current.Position);
            position += expected.Length;
        }

        Assert.False(batches.MoveNext());
        Assert.Equal(Joined.Length, batches.Position);
    }

    [Fact]
    public void A_batch_that_is_cut_off_at_the_end_is_left_out()
    {
        var wholeBytes = Batches[0].Length + Batches[1].Length;
        for (var length = wholeBytes; length < Joined.Length; length++)
        {
            var batches = new RecordBatchEnumerator(Joined.AsSpan(0, length));
            Assert.True(batches.MoveNext());
            Assert.True(batches.MoveNext());
            Assert.False(batches.MoveNext());
            Assert.Equal(wholeBytes, batches.Position);
        }
    }

    [Theory]
    [InlineData(8, 0x80)] //  a negative length
    [InlineData(16, 1)] //    the format of old
    [InlineData(16, 9)] //    no format at all
    public void What_cannot_be_a_batch_is_told_with_its_position(int at, byte value)
    {
        var bytes = Joined.ToArray();
        bytes[Batches[0].Length + at] = value;

        var error = Assert.Throws<CorruptRecordException>(() => Count(bytes));

        Assert.Equal(Batches[0].Length, error.Position);
    }

    [Fact]
    public void A_length_below_that_of_a_header_is_corrupt_rather_than_an_endless_loop()
    {
        var bytes = new byte[100];
        bytes[16] = 2;

        Assert.Throws<CorruptRecordException>(() => Count(bytes));
    }

    private static int Count(byte[] bytes)
    {
        var count = 0;
        foreach (var batch in new RecordBatchEnumerator(bytes))
        {
            count++;
        }
        return count;
    }
}
