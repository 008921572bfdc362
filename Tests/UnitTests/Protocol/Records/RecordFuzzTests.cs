using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using Xunit;

namespace OrleansLog.UnitTests.Protocol.Records;

/// <summary>Valid batches, damaged at random from a seed: whatever comes, only the documented outcomes do.</summary>
public class RecordFuzzTests
{
    private const int Rounds = 20_000;

    [Fact]
    public void Damaged_records_are_read_or_told_to_be_corrupt()
    {
        var original = SmallBatch();
        RecordBatchHeader.TryRead(original, out var header);
        var random = new Random(20);
        var outcomes = new int[2];
        for (var round = 0; round < Rounds; round++)
        {
            var records = Damage(original[RecordBatchHeader.Size..], random);
            outcomes[ReadsWell(header, records) ? 1 : 0]++;
        }
        Assert.All(outcomes, count => Assert.True(count > Rounds / 100));
    }

    [Fact]
    public void Damaged_buffers_of_batches_are_walked_or_told_to_be_corrupt()
    {
        byte[] original = [.. SmallBatch(), .. SmallBatch()];
        var random = new Random(21);
        var outcomes = new int[2];
        for (var round = 0; round < Rounds; round++)
        {
            outcomes[WalksWell(Damage(original, random)) ? 1 : 0]++;
        }
        Assert.All(outcomes, count => Assert.True(count > Rounds / 100));
    }

    [Fact]
    public void A_damaged_batch_never_passes_unless_only_its_place_in_the_log_changed()
    {
        var original = SmallBatch();
        var random = new Random(22);
        var passed = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var batch = Damage(original, random);
            if (RecordBatch.Validate(batch) == ErrorCode.None)
            {
                RecordBatch.AssignOffset(batch, Offset.Zero, LeaderEpoch.None);
                Assert.Equal(original, batch);
                passed++;
            }
        }
        Assert.True(passed > 0);
    }

    [Fact]
    public void Noise_is_never_a_batch()
    {
        var random = new Random(23);
        for (var round = 0; round < Rounds; round++)
        {
            var noise = new byte[random.Next(200)];
            random.NextBytes(noise);
            Assert.NotEqual(ErrorCode.None, RecordBatch.Validate(noise));
            WalksWell(noise);
            ReadsWell(new RecordBatchHeader { RecordCount = 3, LastOffsetDelta = 2 }, noise);
        }
    }

    private static byte[] SmallBatch()
    {
        using var builder = new RecordBatchBuilder(1000);
        RecordHeader[] headers = [new("a", new byte[] { 1 }), new("bc", null)];
        builder.TryAppend(100, "key"u8, false, "value"u8, false, headers);
        builder.TryAppend(200, [], true, new byte[70], false, []);
        builder.TryAppend(150, [], false, [], true, headers);
        return builder.Build().ToArray();
    }

    private static byte[] Damage(byte[] original, Random random)
    {
        var bytes = original.ToList();
        for (var wounds = random.Next(1, 4); wounds > 0 && bytes.Count > 0; wounds--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] = 0xff; break;
                case 2: bytes.RemoveRange(at, bytes.Count - at); break;
                case 3: bytes.RemoveAt(at); break;
                case 4: bytes.Insert(at, (byte)random.Next(256)); break;
                default: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            }
        }
        return [.. bytes];
    }

    private static bool ReadsWell(in RecordBatchHeader header, byte[] records)
    {
        try
        {
            var read = SampleRecords.ReadAll(header, records);
            Assert.Equal(header.RecordCount, read.Count);
            return true;
        }
        catch (CorruptRecordException e)
        {
            Assert.InRange(e.Position, 0, records.Length);
            return false;
        }
    }

    private static bool WalksWell(byte[] bytes)
    {
        try
        {
            var walked = 0;
            foreach (var batch in new RecordBatchEnumerator(bytes))
            {
                Assert.Equal(walked, batch.Position);
                walked += batch.Bytes.Length;
            }
            Assert.InRange(walked, 0, bytes.Length);
            return true;
        }
        catch (CorruptRecordException e)
        {
            Assert.InRange(e.Position, 0, bytes.Length);
            return false;
        }
    }
}
