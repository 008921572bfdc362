using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using Xunit;

namespace OrleansLog.UnitTests.Protocol.Records;

public class RecordBatchBuilderTests
{
    [Fact]
    public void Random_records_come_back_as_they_went_in()
    {
        using var builder = new RecordBatchBuilder(1 << 20);
        for (var seed = 0; seed < 100; seed++)
        {
            builder.Reset();
            var (records, batch) = new SampleRecords(seed).Append(builder, 1 + (seed * 7));

            Assert.Equal(ErrorCode.None, RecordBatch.Validate(batch, out var header));
            Assert.Equal(batch.Length, builder.SizeInBytes);
            Assert.Equal(records.Max(r => r.Timestamp), header.MaxTimestamp);
            Assert.Equal(records, SampleRecords.ReadAll(header, batch.AsSpan(RecordBatchHeader.Size)));
        }
    }

    [Fact]
    public void Compressed_records_come_back_as_they_went_in()
    {
        using var builder = new RecordBatchBuilder(1 << 20);
        var compressor = new InvertingCompressor();
        var (records, batch) = new SampleRecords(5).Append(builder, 50, compressor);

        Assert.Equal(ErrorCode.None, RecordBatch.Validate(batch, out var header));
        Assert.Equal(CompressionType.Lz4, header.Compression);
        Assert.Equal(builder.SizeInBytes + 1, batch.Length);
        using var plain = new PooledBufferWriter();
        compressor.Decompress(batch.AsSpan(RecordBatchHeader.Size), plain, int.MaxValue);
        Assert.Equal(records, SampleRecords.ReadAll(header, plain.WrittenSpan));
    }

    [Fact]
    public void The_estimate_is_the_exact_size()
    {
        using var builder = new RecordBatchBuilder(1 << 20);
        RecordHeader[] headers = [new("größe", new byte[300]), new("none", null)];
        for (var i = 0; i < 200; i++)
        {
            var value = new byte[i * 3];
            var estimate = builder.EstimatedSizeWith(i * i * 1000, [], i % 2 == 0, value, false, headers);
            Assert.True(builder.TryAppend(i * i * 1000, [], i % 2 == 0, value, false, headers));
            Assert.Equal(estimate, builder.SizeInBytes);
        }
    }

    [Fact]
    public void A_record_that_would_outgrow_the_limit_is_left_out()
    {
        using var builder = new RecordBatchBuilder(150);
        Assert.True(builder.TryAppend(1, [], true, new byte[20], false, []));
        var room = 150 - builder.SizeInBytes;
        var overhead = (int)builder.EstimatedSizeWith(1, [], true, [], false, []) - builder.SizeInBytes;

        Assert.False(builder.TryAppend(1, [], true, new byte[room - overhead + 1], false, []));
        Assert.Equal(1, builder.RecordCount);
        Assert.True(builder.TryAppend(1, [], true, new byte[room - overhead], false, []));
        Assert.Equal(150, builder.SizeInBytes);
        Assert.Equal(150, builder.Build().Length);
    }

    [Fact]
    public void An_empty_batch_takes_one_record_of_any_size()
    {
        using var builder = new RecordBatchBuilder(1000);

        Assert.True(builder.TryAppend(1, [], true, new byte[5_000_000], false, []));
        Assert.False(builder.TryAppend(1, [], true, [], false, []));
        Assert.Equal(ErrorCode.None, RecordBatch.Validate(builder.Build().Span));
    }

    [Fact]
    public void A_batch_may_be_added_to_and_built_again()
    {
        using var builder = new RecordBatchBuilder(1000);
        builder.TryAppend(1, [], true, "first"u8, false, []);
        var first = builder.Build().ToArray();
        var compressed = builder.Build(new InvertingCompressor()).ToArray();
        Assert.Equal(first, builder.Build().ToArray());

        builder.TryAppend(2, [], true, "second"u8, false, []);

        Assert.Equal(ErrorCode.None, RecordBatch.Validate(compressed));
        Assert.Equal(ErrorCode.None, RecordBatch.Validate(builder.Build().Span, out var header));
        Assert.Equal((2, 2L), (header.RecordCount, header.MaxTimestamp));
    }

    [Fact]
    public void Nothing_of_the_last_batch_is_left_after_a_reset()
    {
        using var builder = new RecordBatchBuilder(1000);
        builder.TryAppend(5, "k"u8, false, "v"u8, false, []);
        var expected = builder.Build().ToArray();

        builder.Reset();
        builder.ProducerId = 9;
        builder.ProducerEpoch = 1;
        builder.BaseSequence = 7;
        builder.IsTransactional = true;
        builder.TryAppend(99, [], true, "other"u8, false, []);
        Assert.NotEqual(expected, builder.Build().ToArray());

        builder.Reset();
        Assert.Equal((0, RecordBatchHeader.Size), (builder.RecordCount, builder.SizeInBytes));
        builder.TryAppend(5, "k"u8, false, "v"u8, false, []);
        Assert.Equal(expected, builder.Build().ToArray());
    }

    [Fact]
    public void An_empty_batch_cannot_be_built()
    {
        using var builder = new RecordBatchBuilder(1000);

        Assert.Throws<InvalidOperationException>(() => builder.Build());
    }

    [Fact]
    public void Appending_and_reading_allocate_nothing_per_record()
    {
        using var builder = new RecordBatchBuilder(1 << 20);
        RecordHeader[] headers = [new("trace", new byte[16])];
        FillAndRead(builder, headers);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var count = FillAndRead(builder, headers);

        Assert.True(count > 5000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static int FillAndRead(RecordBatchBuilder builder, RecordHeader[] headers)
    {
        builder.Reset();
        while (builder.TryAppend(1, "key"u8, false, "some value of a usual size"u8, false, headers))
        {
        }
        var read = 0;
        foreach (var batch in new RecordBatchEnumerator(builder.Build().Span))
        {
            var reader = new RecordReader(batch.Header, batch.Records);
            while (reader.TryRead(out var record))
            {
                foreach (var header in record.Headers)
                {
                    read += header.KeyUtf8.Length / 5;
                }
            }
        }
        return read;
    }
}
