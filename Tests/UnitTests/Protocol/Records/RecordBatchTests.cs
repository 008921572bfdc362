using System.Buffers.Binary;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using Xunit;

namespace OrleansLog.UnitTests.Protocol.Records;

public class RecordBatchTests
{
    private const int AttributesAt = 21;

    [Fact]
    public void An_assigned_offset_leaves_the_checksum_valid()
    {
        var batch = SampleRecords.SomeBatch();

        RecordBatch.AssignOffset(batch, new Offset(1L << 40), new LeaderEpoch(17));

        Assert.Equal(ErrorCode.None, RecordBatch.Validate(batch, out var header));
        Assert.Equal(new Offset(1L << 40), header.BaseOffset);
        Assert.Equal(new LeaderEpoch(17), header.PartitionLeaderEpoch);
    }

    [Fact]
    public void Log_append_time_is_the_time_of_every_record()
    {
        var batch = SampleRecords.SomeBatch();

        RecordBatch.SetLogAppendTime(batch, 1_800_000_000_123);

        Assert.Equal(ErrorCode.None, RecordBatch.CheckIntegrity(batch, out var header));
        Assert.Equal(TimestampType.LogAppendTime, header.TimestampType);
        Assert.Equal(1_800_000_000_123, header.MaxTimestamp);
        var records = SampleRecords.ReadAll(header, batch.AsSpan(RecordBatchHeader.Size));
        Assert.Equal(20, records.Count);
        Assert.All(records, record => Assert.Equal(1_800_000_000_123, record.Timestamp));
    }

    [Fact]
    public void A_header_is_written_as_it_was_read()
    {
        var batch = SampleRecords.SomeBatch();
        Assert.Equal(ErrorCode.None, RecordBatchHeader.TryRead(batch, out var header));

        var copy = new byte[RecordBatchHeader.Size];
        header.Write(copy);

        Assert.Equal(batch[..RecordBatchHeader.Size], copy);
    }

    [Fact]
    public void A_flipped_bit_under_the_checksum_is_always_found()
    {
        var batch = SampleRecords.SomeBatch();

        for (var bit = AttributesAt * 8; bit < batch.Length * 8; bit++)
        {
            Flip(batch, bit);
            Assert.Equal(ErrorCode.CorruptMessage, RecordBatch.Validate(batch));
            Flip(batch, bit);
        }
        Assert.Equal(ErrorCode.None, RecordBatch.Validate(batch));
    }

    [Fact]
    public void A_batch_cut_short_or_followed_by_more_is_corrupt()
    {
        var batch = SampleRecords.SomeBatch();

        for (var length = 0; length < batch.Length; length++)
        {
            Assert.Equal(ErrorCode.CorruptMessage, RecordBatch.Validate(batch.AsSpan(0, length)));
        }
        Assert.Equal(ErrorCode.CorruptMessage, RecordBatch.Validate([.. batch, 0]));
    }

    [Theory]
    [InlineData(0, ErrorCode.InvalidRecord)]
    [InlineData(1, ErrorCode.InvalidRecord)]
    [InlineData(3, ErrorCode.CorruptMessage)]
    [InlineData(255, ErrorCode.CorruptMessage)]
    public void Formats_other_than_the_second_are_refused(byte magic, ErrorCode expected)
    {
        var batch = SampleRecords.SomeBatch();
        batch[16] = magic;

        Assert.Equal(expected, RecordBatch.Validate(batch));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(48)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    public void An_impossible_length_is_refused(int length)
    {
        var batch = SampleRecords.SomeBatch();
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), length);

        Assert.Equal(ErrorCode.CorruptMessage, RecordBatchHeader.TryRead(batch, out _));
    }

    [Theory]
    [InlineData(0x20, ErrorCode.InvalidRecord)]
    [InlineData(0x08, ErrorCode.InvalidTimestamp)]
    [InlineData(0x05, ErrorCode.UnsupportedCompressionType)]
    [InlineData(0x07, ErrorCode.UnsupportedCompressionType)]
    [InlineData(0x04, ErrorCode.None)]
    [InlineData(0x10, ErrorCode.None)]
    public void Attributes_that_a_producer_may_not_set_are_refused(short attributes, ErrorCode expected)
    {
        var batch = WithHeader(SampleRecords.SomeBatch(), header => header with { Attributes = attributes });

        Assert.Equal(ErrorCode.None, RecordBatch.CheckIntegrity(batch));
        Assert.Equal(expected, RecordBatch.Validate(batch));
    }

    [Theory]
    [InlineData(20, 19, ErrorCode.None)]
    [InlineData(20, 20, ErrorCode.InvalidRecord)]
    [InlineData(19, 19, ErrorCode.InvalidRecord)]
    [InlineData(0, -1, ErrorCode.InvalidRecord)]
    [InlineData(-1, -2, ErrorCode.InvalidRecord)]
    [InlineData(int.MinValue, int.MaxValue, ErrorCode.InvalidRecord)]
    public void A_count_that_disagrees_with_the_offsets_is_refused(int count, int lastOffsetDelta, ErrorCode expected)
    {
        var batch = WithHeader(
            SampleRecords.SomeBatch(),
            header => header with { RecordCount = count, LastOffsetDelta = lastOffsetDelta });

        Assert.Equal(expected, RecordBatch.Validate(batch));
    }

    [Fact]
    public void A_producer_id_without_a_sequence_is_refused()
    {
        var batch = WithHeader(SampleRecords.SomeBatch(), header => header with { ProducerId = 5 });

        Assert.Equal(ErrorCode.InvalidRecord, RecordBatch.Validate(batch));
    }

    private static void Flip(byte[] bytes, int bit) => bytes[bit / 8] ^= (byte)(1 << (bit % 8));

    private static byte[] WithHeader(byte[] batch, Func<RecordBatchHeader, RecordBatchHeader> change)
    {
        Assert.Equal(ErrorCode.None, RecordBatchHeader.TryRead(batch, out var header));
        change(header).Write(batch);
        BinaryPrimitives.WriteUInt32BigEndian(batch.AsSpan(17), Crc32C.Compute(batch.AsSpan(AttributesAt)));
        return batch;
    }
}
