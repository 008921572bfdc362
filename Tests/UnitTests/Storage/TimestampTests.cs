using System.Buffers;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Storage;

public class TimestampTests
{
    [Theory]
    [InlineData(0, 0, 100)]
    [InlineData(100, 0, 100)]
    [InlineData(101, 1, 105)]
    [InlineData(105, 1, 105)]
    [InlineData(106, 3, 200)]
    [InlineData(300, 5, 300)]
    [InlineData(301, 7, 400)]
    public async Task The_first_record_at_or_after_a_time_is_found(long timestampMs, long offset, long found)
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(TestBatches.At(100, 105, 102));
        harness.Append(TestBatches.At(200, 150, 300));
        harness.Append(TestBatches.At(300, 400));
        Assert.Equal(new TimestampedOffset(new Offset(offset), found), harness.Log.FindByTimestamp(timestampMs));
    }

    [Fact]
    public async Task Nothing_is_found_after_the_latest_record()
    {
        var harness = await new LogHarness().OpenAsync();
        Assert.Null(harness.Log.FindByTimestamp(0));
        Assert.Null(harness.Log.FindMaxTimestamp());
        harness.Append(TestBatches.At(100));
        Assert.Null(harness.Log.FindByTimestamp(101));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_time_is_found_across_segments_and_restarts(bool isKilled)
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 2000, IndexIntervalBytes = 150 } }.OpenAsync();
        for (var i = 0; i < 300; i++) harness.Append(TestBatches.At(1000 + i * 10, 1005 + i * 10));
        if (isKilled) await harness.ReopenAfterKillAsync();
        else await harness.ReopenAsync();
        for (var i = 0; i < 300; i++)
        {
            Assert.Equal(new TimestampedOffset(new Offset(2 * i), 1000 + i * 10), harness.Log.FindByTimestamp(996 + i * 10));
            Assert.Equal(new TimestampedOffset(new Offset(2 * i + 1), 1005 + i * 10), harness.Log.FindByTimestamp(1001 + i * 10));
        }

        Assert.Equal(new TimestampedOffset(new Offset(599), 3995), harness.Log.FindMaxTimestamp());
    }

    [Fact]
    public async Task Times_that_go_back_and_forth_find_the_first_in_offset_order()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 1000, IndexIntervalBytes = 100 } }.OpenAsync();
        var random = new Random(5);
        var times = Enumerable.Range(0, 200).Select(_ => (long)random.Next(1000)).ToArray();
        foreach (var time in times) harness.Append(TestBatches.At(time));
        for (var time = 0; time < 1000; time += 7)
        {
            var first = Array.FindIndex(times, t => t >= time);
            Assert.Equal(first < 0 ? null : new Offset(first), harness.Log.FindByTimestamp(time)?.Offset);
        }

        Assert.Equal(new Offset(Array.IndexOf(times, times.Max())), harness.Log.FindMaxTimestamp()?.Offset);
    }

    [Fact]
    public async Task Deleted_records_are_not_found()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(TestBatches.At(500, 100, 200, 150));
        await harness.Log.DeleteBeforeAsync(new Offset(1));
        Assert.Equal(new TimestampedOffset(new Offset(1), 100), harness.Log.FindByTimestamp(0));
        Assert.Null(harness.Log.FindByTimestamp(300));
        Assert.Equal(new TimestampedOffset(new Offset(2), 200), harness.Log.FindMaxTimestamp());
    }

    [Fact]
    public async Task A_compressed_batch_is_opened_where_its_codec_is_known()
    {
        var codec = new Inverting();
        var harness = await new LogHarness().OpenAsync();
        harness.Append(TestBatches.Of([(100, [1]), (200, [2]), (300, [3])], codec));
        Assert.Equal(
            new TimestampedOffset(new Offset(1), 200),
            harness.Log.FindByTimestamp(150, type => type == CompressionType.Zstd ? codec : null));
        Assert.Equal(new TimestampedOffset(Offset.Zero, 300), harness.Log.FindByTimestamp(150));
        Assert.Equal(new TimestampedOffset(new Offset(2), 300), harness.Log.FindMaxTimestamp(_ => codec));
    }

    [Fact]
    public async Task Records_with_the_brokers_time_all_have_the_time_of_their_batch()
    {
        var harness = await new LogHarness().OpenAsync();
        var batch = TestBatches.At(1, 2, 3);
        RecordBatch.SetLogAppendTime(batch, 700);
        harness.Append(batch);
        Assert.Equal(new TimestampedOffset(Offset.Zero, 700), harness.Log.FindByTimestamp(500));
    }

    [Fact]
    public async Task The_latest_time_is_known_after_a_truncation()
    {
        var harness = await new LogHarness { Options = new LogOptions { IndexIntervalBytes = 10_000 } }.OpenAsync();
        foreach (var time in new long[] { 10, 40, 20, 90, 30 }) harness.Append(TestBatches.At(time));
        await harness.Log.TruncateToAsync(new Offset(3));
        Assert.Equal(new TimestampedOffset(new Offset(1), 40), harness.Log.FindMaxTimestamp());
    }

    /// <summary>Stands for any codec: flips every bit.</summary>
    private sealed class Inverting : IRecordCompressor
    {
        public CompressionType Type => CompressionType.Zstd;

        public void Compress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination)
        {
            foreach (var value in source) destination.Write([(byte)~value]);
        }

        public void Decompress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination, int maxSize) =>
            Compress(source, destination);
    }
}
