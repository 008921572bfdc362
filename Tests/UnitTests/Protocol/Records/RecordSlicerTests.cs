using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Protocol.Records;

public sealed class RecordSlicerTests
{
    [Fact]
    public void It_finds_what_the_whole_reader_finds()
    {
        var random = new Random(1);
        for (var round = 0; round < 200; round++)
        {
            var batch = RandomBatch(random);
            RecordBatchHeader.TryRead(batch, out var header);
            var records = batch.AsSpan(RecordBatchHeader.Size);
            var slicer = new RecordSlicer(records, header.RecordCount);
            var reader = new RecordReader(header, records);
            while (reader.TryRead(out var record))
            {
                Assert.True(slicer.MoveNext());
                Assert.Equal(record.Offset, header.BaseOffset + slicer.OffsetDelta);
                Assert.Equal(record.Timestamp, header.BaseTimestamp + slicer.TimestampDelta);
                Assert.Equal((record.KeyIsNull, record.ValueIsNull), (slicer.KeyLength < 0, slicer.ValueIsNull));
                Assert.True(record.Key.SequenceEqual(records.Slice(slicer.KeyStart, Math.Max(0, slicer.KeyLength))));
            }

            Assert.False(slicer.MoveNext());
            Assert.Equal(records.Length, slicer.End);
        }
    }

    [Fact]
    public void Whatever_the_bytes_are_it_ends_or_says_that_they_are_no_records()
    {
        var random = new Random(2);
        for (var round = 0; round < 20_000; round++)
        {
            var batch = RandomBatch(random);
            RecordBatchHeader.TryRead(batch, out var header);
            var records = batch[RecordBatchHeader.Size..];
            for (var flips = random.Next(1, 4); flips > 0; flips--) records[random.Next(records.Length)] = (byte)random.Next(256);
            if (random.Next(3) == 0) records = records[..random.Next(records.Length)];
            try
            {
                var slicer = new RecordSlicer(records, header.RecordCount);
                while (slicer.MoveNext()) Assert.InRange(slicer.KeyStart + Math.Max(0, slicer.KeyLength), slicer.Start, slicer.End);
            }
            catch (CorruptRecordException)
            {
                // As it should be.
            }
        }
    }

    private static byte[] RandomBatch(Random random)
    {
        using var builder = new RecordBatchBuilder(1 << 20);
        for (var i = random.Next(1, 8); i > 0; i--)
        {
            var key = new byte[random.Next(3) == 0 ? random.Next(200) : random.Next(10)];
            var value = new byte[random.Next(3) == 0 ? random.Next(20_000) : random.Next(100)];
            var (hasKey, hasValue) = (random.Next(4) > 0, random.Next(4) > 0);
            builder.TryAppend(1000 + random.Next(random.Next(2) == 0 ? 10 : 1_000_000), hasKey ? key : [], !hasKey, hasValue ? value : [], !hasValue, []);
        }

        return builder.Build().ToArray();
    }
}
