using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using Xunit;

namespace OrleansLog.UnitTests.Protocol.Records;

/// <summary>Batches worked out by hand from the format's description; their CRCs agree with kafka-python's.</summary>
public class GoldenBatchTests
{
    private const long Time = 1_700_000_000_000; // 0x18BCFE56800

    private static readonly byte[] ThreeRecords = Convert.FromHexString(string.Concat(
        "0000000000000000", // base offset
        "0000005C", //         bytes after this field: 49 of header, 43 of records
        "00000000", //         partition leader epoch
        "02", //               magic
        "CCCA4B73", //         CRC-32C of all that follows
        "0000", //             attributes
        "00000002", //         last offset delta
        "0000018BCFE56800", // base timestamp
        "0000018BCFE56807", // max timestamp
        "FFFFFFFFFFFFFFFF", // producer id
        "FFFF", //             producer epoch
        "FFFFFFFF", //         base sequence
        "00000003", //         records
        "1A" + "00" + "00" + "00" + "04" + "6B31" + "0A" + "68656C6C6F" + "00", // k1 = hello
        "0C" + "00" + "0E" + "02" + "01" + "01" + "00", //                         7 ms later, null = null
        "2A" + "00" + "13" + "04" + "00" + "00" + "04", //                         10 ms before the first, two headers
        "0A" + "7472616365" + "04" + "0102", //                                    trace = 01 02
        "08" + "6E6F6E65" + "01")); //                                             none = null

    [Fact]
    public void The_builder_writes_the_bytes_of_the_format()
    {
        using var builder = new RecordBatchBuilder(1000);
        RecordHeader[] headers = [new("trace", new byte[] { 1, 2 }), new("none", null)];
        Assert.True(builder.TryAppend(Time, "k1"u8, false, "hello"u8, false, []));
        Assert.True(builder.TryAppend(Time + 7, [], true, [], true, []));
        Assert.True(builder.TryAppend(Time - 10, [], false, [], false, headers));

        var batch = builder.Build().ToArray();
        RecordBatch.AssignOffset(batch, Offset.Zero, LeaderEpoch.Zero);

        Assert.Equal(Convert.ToHexString(ThreeRecords), Convert.ToHexString(batch));
    }

    [Fact]
    public void The_reader_finds_what_the_bytes_say()
    {
        Assert.Equal(ErrorCode.None, RecordBatch.Validate(ThreeRecords, out var header));
        Assert.Equal(new Offset(2), header.LastOffset);
        Assert.Equal(new Offset(3), header.NextOffset);
        Assert.Equal(Time + 7, header.MaxTimestamp);
        Assert.Equal(CompressionType.None, header.Compression);

        Assert.Equal(
            [
                new SampleRecord(Time, "6B31", "68656C6C6F", ""),
                new SampleRecord(Time + 7, null, null, ""),
                new SampleRecord(Time - 10, "", "", "trace=0102;none=null"),
            ],
            SampleRecords.ReadAll(header, ThreeRecords.AsSpan(RecordBatchHeader.Size)));
    }

    [Fact]
    public void The_fields_of_an_idempotent_producer_stand_in_the_header()
    {
        var expected = string.Concat(
            "0000000000000000", "00000103", "00000000", "02", "A6FEF03E",
            "0010", "00000000", "0000018BCFE56800", "0000018BCFE56800",
            "0000000000001267", "0003", "0000002A", "00000001",
            "A003", "00", "00", "00", "02", "6B", "9003", string.Concat(Enumerable.Repeat("76", 200)), "00");
        using var builder = new RecordBatchBuilder(1000)
        {
            ProducerId = 4711,
            ProducerEpoch = 3,
            BaseSequence = 42,
            IsTransactional = true,
        };
        builder.TryAppend(Time, "k"u8, false, Enumerable.Repeat((byte)'v', 200).ToArray(), false, []);

        var batch = builder.Build().ToArray();
        RecordBatch.AssignOffset(batch, Offset.Zero, LeaderEpoch.Zero);

        Assert.Equal(expected, Convert.ToHexString(batch));
        Assert.Equal(ErrorCode.None, RecordBatch.Validate(batch, out var header));
        Assert.True(header.IsTransactional);
        Assert.False(header.IsControl);
        Assert.Equal((4711L, (short)3, 42), (header.ProducerId, header.ProducerEpoch, header.BaseSequence));
    }
}
