using OrleansLog.Compression;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage.Compaction;

namespace OrleansLog.UnitTests.Storage;

public sealed class CompactionTests
{
    [Fact]
    public async Task Of_each_key_the_last_record_stays_at_its_offset()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Append("a=1 b=1 a=2 c=1,b=2,d=1 c=2").Roll();

        var done = await script.CompactAsync();

        Assert.Equal("2:a=2 4:b=2 5:d=1 6:c=2 7:z=z", script.Content());
        Assert.Equal("[0-1] 2 3 6 7", script.Shape());
        Assert.Equal((3L, new Offset(7), true), (done!.Value.RecordsRemoved, done.Value.End, done.Value.IsWhole));
        Assert.Equal(new Offset(7), script.Log.CompactedBefore);
    }

    [Fact]
    public async Task The_active_segment_and_what_is_not_stable_stay_as_they_are()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Append("a=1 a=2").Roll("a=3 a=4").Roll("a=5 a=6");

        await script.CompactAsync(highWatermark: new(3));
        Assert.Equal("1:a=2 2:a=3 3:a=4 4:a=5 5:a=6", script.Content());
        await script.CompactAsync();
        Assert.Equal("3:a=4 4:a=5 5:a=6", script.Content());
        Assert.Null(await new CompactionScript().OpenAsync().ContinueWith(open => open.Result.CompactAsync(), TaskScheduler.Default).Unwrap());
    }

    [Fact]
    public async Task Records_without_a_key_do_not_stay()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Append("nokey a=1 nokey").Roll();
        await script.CompactAsync();
        Assert.Equal("1:a=1 3:z=z", script.Content());
    }

    [Fact]
    public async Task A_tombstone_stays_for_as_long_as_it_takes_others_to_read_it()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Append("a=1,b=1 a=,c=1").Roll();

        await script.CompactAsync();
        Assert.Equal("1:b=1 2:a= 3:c=1 4:z=z", script.Content());
        Assert.Equal(script.NowMs + 1000, script.Batches(new(2))[0].Header.DeleteHorizonMs);
        Assert.Equal(Offset.Zero, script.Log.TombstonesGoneBefore);
        script.Harness.Clock.AdvanceMs(999);
        Assert.False(script.Log.CompactionBacklog(script.Log.LogEndOffset).HasExpiredTombstones);

        script.Harness.Clock.AdvanceMs(1);
        Assert.True(script.Log.CompactionBacklog(script.Log.LogEndOffset).HasExpiredTombstones);
        await script.CompactAsync();
        Assert.Equal("1:b=1 3:c=1 4:z=z", script.Content());
        Assert.Equal(new Offset(4), script.Log.TombstonesGoneBefore);
        Assert.False(script.Log.CompactionBacklog(script.Log.LogEndOffset).HasExpiredTombstones);
    }

    [Fact]
    public async Task Timestamps_outlive_the_horizon_that_a_tombstone_gives_its_batch()
    {
        var script = await new CompactionScript().OpenAsync();
        var at = script.NowMs;
        script.Append("a=1,a=,b=1").Roll();
        await script.CompactAsync();

        var (header, bytes) = script.Batches(Offset.Zero)[0];
        var reader = new RecordReader(header, bytes.AsSpan(RecordBatchHeader.Size));
        while (reader.TryRead(out var record)) Assert.Equal(at, record.Timestamp);
        Assert.Equal(at, header.MaxTimestamp);
        Assert.Equal(new Offset(1), script.Log.FindByTimestamp(at)!.Value.Offset);
    }

    [Fact]
    public async Task Where_there_is_not_enough_memory_for_all_keys_it_takes_several_passes()
    {
        var script = await new CompactionScript { Tools = new() { KeyBytesMax = 1 } }.OpenAsync();
        for (var round = 0; round < 3; round++)
            for (var key = 0; key < 50; key++) script.Append($"k{key}={round}");
        script.Roll();

        var passes = 0;
        while (await script.CompactAsync() is { IsWhole: false }) Assert.InRange(++passes, 0, 50);

        Assert.InRange(passes, 5, 20);
        Assert.Equal(string.Join(' ', Enumerable.Range(0, 50).Select(key => $"{100 + key}:k{key}=2")) + " 150:z=z", script.Content());
    }

    [Fact]
    public async Task Keys_that_do_not_fit_are_told_apart_in_parts()
    {
        var script = await new CompactionScript { Tools = new() { KeyBytesMax = 500 } }.OpenAsync();
        for (var key = 0; key < 60; key++) script.Append($"k{key}=0");
        script.Roll("k7=1");
        Assert.True((await script.CompactAsync())!.Value.IsWhole);
        // What was compacted before is part of it.
        for (var round = 1; round < 4; round++)
            for (var key = 0; key < 50; key++) script.Append($"k{key}={(key == 9 ? "" : round)},x{key}={round}");
        script.Roll();

        Assert.True((await script.CompactAsync())!.Value.IsWhole);

        var expected = Enumerable.Range(50, 10).Select(key => $"{key}:k{key}=0").Concat(Enumerable.Range(0, 50).SelectMany(
            key => (string[])[$"{261 + 2 * key}:k{key}={(key == 9 ? "" : "3")}", $"{262 + 2 * key}:x{key}=3"]));
        Assert.Equal(string.Join(' ', expected) + " 361:z=z", script.Content());
    }

    [Theory]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Zstd)]
    public async Task Compressed_batches_are_opened_and_closed_again(CompressionType type)
    {
        var script = await new CompactionScript { Tools = new() { Compressors = CompressionCodecs.For } }.OpenAsync();
        script.Append(script.Batch(["a=1", "b=1"], compressor: CompressionCodecs.For(type)));
        script.Append(script.Batch(["a=2", "c="], compressor: CompressionCodecs.For(type)));
        script.Roll();

        await script.CompactAsync();

        var left = new List<string>();
        foreach (var (header, bytes) in script.Batches(Offset.Zero).Take(2))
        {
            Assert.Equal(type, header.Compression);
            var records = new System.Buffers.ArrayBufferWriter<byte>();
            CompressionCodecs.For(type).Decompress(bytes.AsSpan(RecordBatchHeader.Size), records, 1 << 20);
            left.AddRange(CompactionScript.Records(header, records.WrittenSpan));
        }

        Assert.Equal(["1:b=1", "2:a=2", "3:c="], left);
    }

    [Fact]
    public async Task Batches_of_a_codec_that_is_not_known_stay_whole()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Append(script.Batch(["a=1", "a=2"], compressor: CompressionCodecs.For(CompressionType.Gzip)));
        script.Append("b=1 b=2").Roll();
        await script.CompactAsync();
        Assert.Equal("0 [2-2] 3 4", script.Shape());
    }

    [Fact]
    public async Task Small_segments_become_one_and_empty_batches_too()
    {
        var script = await new CompactionScript().OpenAsync();
        for (var i = 0; i < 5; i++) script.Append("a=1 b=1").Roll("a=1");
        Assert.Equal(6, script.Log.Segments.Count);

        await script.CompactAsync();

        Assert.Equal(2, script.Log.Segments.Count);
        Assert.Equal("[0-11] 12 13 14", script.Shape());
    }

    [Fact]
    public async Task Each_leader_epoch_keeps_its_offsets()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Append("a=1 a=2", epoch: 1).Append("a=3", epoch: 2).Append("a=4 a=5", epoch: 4);
        script.Log.Roll();
        script.Append("z=z", epoch: 4);

        await script.CompactAsync();

        Assert.Equal("[0-1] [2-2] [3-3] 4 5", script.Shape());
        Assert.Equal(new Offset(2), script.Log.EndOffsetFor(new(1)).EndOffset);
        Assert.Equal(new Offset(3), script.Log.EndOffsetFor(new(3)).EndOffset);
        script.Harness.Disk.Delete(LogHarness.PathOf("leader-epoch-checkpoint"));
        await script.Harness.ReopenAfterKillAsync();
        Assert.Equal(new Offset(3), script.Log.EndOffsetFor(new(3)).EndOffset);
        Assert.Equal(new LeaderEpoch(1), script.Log.EpochAt(new(1)));
    }

    [Fact]
    public async Task Records_of_aborted_transactions_go_and_do_not_count()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Append("a=1");
        script.Append(script.Batch(["a=2", "b=2"], producer: 7, sequence: 0, isTransactional: true));
        script.End(7, isCommit: false);
        script.Append(script.Batch(["c=3"], producer: 8, sequence: 0, isTransactional: true));
        script.End(8, isCommit: true);
        script.Roll();

        await script.CompactAsync();

        Assert.Equal("0:a=1 3:abort7 4:c=3 5:commit8 6:z=z", script.Content());
    }

    [Fact]
    public async Task The_end_of_a_transaction_stays_as_long_as_its_records_and_its_producer()
    {
        var script = new CompactionScript();
        script.Harness.Options = script.Harness.Options with { ProducerIdExpirationMs = 5000 };
        await script.OpenAsync();
        script.Append(script.Batch(["a=1"], producer: 7, sequence: 0, isTransactional: true));
        script.End(7, isCommit: true);
        script.Append(script.Batch(["b=1"], producer: 8, sequence: 0, isTransactional: true));
        script.End(8, isCommit: false);
        script.Roll();
        await script.CompactAsync();
        Assert.Equal("0:a=1 1:commit7 3:abort8 4:z=z", script.Content());
        Assert.Equal("0 1 [2-2]p 3 4", script.Shape());

        // Both producers are forgotten.
        script.Harness.Clock.AdvanceMs(6000);
        script.Append("x=1");
        await script.CompactAsync();
        Assert.Equal("0:a=1 1:commit7 3:abort8 4:z=z 5:x=1", script.Content());
        Assert.Equal("0 1 [2-2] 3 4 5", script.Shape());
        Assert.NotEmpty(script.Log.AbortedTransactions(Offset.Zero, script.Log.LogEndOffset));

        script.Harness.Clock.AdvanceMs(1000);
        await script.CompactAsync();
        Assert.Equal("0:a=1 1:commit7 4:z=z 5:x=1", script.Content());
        Assert.Empty(script.Log.AbortedTransactions(Offset.Zero, script.Log.LogEndOffset));
        Assert.Equal(new Offset(4), script.Log.TombstonesGoneBefore);

        // What an older snapshot tells of it does not come back.
        await script.Harness.ReopenAfterKillAsync();
        Assert.Empty(script.Log.AbortedTransactions(Offset.Zero, script.Log.LogEndOffset));

        script.Harness.Clock.AdvanceMs(6000);
        script.Roll("a=9").Roll();
        await script.CompactAsync();
        Assert.Equal("1:commit7 4:z=z 5:x=1 6:a=9 7:z=z", script.Content());
        script.Harness.Clock.AdvanceMs(1000);
        await script.CompactAsync();
        Assert.Equal("4:z=z 5:x=1 6:a=9 7:z=z", script.Content());
    }

    [Fact]
    public async Task Nothing_of_an_open_transaction_is_touched()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Append("a=1 a=2").Roll("b=1");
        script.Append(script.Batch(["b=2"], producer: 7, sequence: 0, isTransactional: true));
        script.Append("b=3 b=4").Roll();

        await script.CompactAsync();

        Assert.Equal("1:a=2 2:b=1 3:b=2 4:b=3 5:b=4 6:z=z", script.Content());
        script.End(7, isCommit: false);
        await script.CompactAsync();
        Assert.Equal("1:a=2 5:b=4 6:z=z 7:abort7", script.Content());
    }

    [Fact]
    public async Task A_follower_learns_the_producers_from_what_is_left()
    {
        var script = await new CompactionScript().OpenAsync();
        for (var i = 0; i < 8; i++) script.Append(script.Batch(["a=1", "a=2"], producer: 7, sequence: 2 * i));
        script.Append("a=9").Roll();
        await script.CompactAsync();
        Assert.Equal("[0-5] [6-7]p [8-9]p [10-11]p [12-13]p [14-15]p 16 17", script.Shape());

        var follower = await new CompactionScript().OpenAsync();
        follower.Log.AppendAsFollower(script.Harness.ReadAll(Offset.Zero));
        Assert.True(follower.Append(follower.Batch(["a=1", "a=2"], producer: 7, sequence: 14)).IsDuplicate);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, follower.Append(follower.Batch(["a=1"], producer: 7, sequence: 17)).Error);
        Assert.Equal(ErrorCode.None, follower.Append(follower.Batch(["a=1"], producer: 7, sequence: 16)).Error);
    }

    [Fact]
    public async Task Readers_go_on_with_what_they_found()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Append("a=1 b=1 a=2").Roll();
        var found = script.Log.Read(Offset.Zero, 1 << 20, script.Log.LogEndOffset);
        var before = LogHarness.Bytes(found);

        await script.CompactAsync();

        Assert.Equal(before, LogHarness.Bytes(found));
        script.Harness.Clock.AdvanceMs(script.Log.Options.FileDeleteDelayMs);
        Assert.Throws<ObjectDisposedException>(() => LogHarness.Bytes(found));
        Assert.Equal("1:b=1 2:a=2 3:z=z", script.Content());
    }

    [Fact]
    public async Task Readers_of_records_need_not_see_empty_batches()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Append("a=1 a=2 b=1 a=3 a=4 a=5").Roll();
        await script.CompactAsync();

        Offset First(long from, bool skips)
        {
            var read = script.Log.Read(new(from), 1, script.Log.LogEndOffset, skipsEmpty: skips);
            RecordBatchHeader.TryRead(LogHarness.Bytes(read), out var header);
            return header.BaseOffset;
        }

        Assert.Equal([0, 0, 2, 3, 3, 5], ((long[])[0, 1, 2, 3, 4, 5]).Select(from => First(from, skips: false).Value));
        Assert.Equal([2, 2, 2, 5, 5, 5], ((long[])[0, 1, 2, 3, 4, 5]).Select(from => First(from, skips: true).Value));
    }

    [Fact]
    public async Task A_log_is_cut_amid_an_empty_batch()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Append("a=1 a=2 a=3 a=4 a=5").Roll();
        await script.CompactAsync();
        Assert.Equal("[0-3] 4 5", script.Shape());

        Assert.Equal(new Offset(2), script.Log.EndIfCutAt(new(2)));
        await script.Log.TruncateToAsync(new(2));

        Assert.Equal(new Offset(2), script.Log.LogEndOffset);
        Assert.Equal("[0-1]", script.Shape());
        Assert.Equal(Offset.Zero, script.Log.CompactedBefore);
        await script.Harness.ReopenAfterPowerFailureAsync();
        Assert.Equal("[0-1]", script.Shape());
    }

    [Fact]
    public async Task A_follower_takes_of_an_empty_batch_what_it_lacks()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Append("a=1 a=2 a=3 a=4 a=5").Roll();
        var follower = await new CompactionScript().OpenAsync();
        follower.Append("a=1 a=2");
        await script.CompactAsync();

        follower.Log.AppendAsFollower(script.Harness.ReadAll(Offset.Zero));

        Assert.Equal("0 1 [2-3] 4 5", follower.Shape());
    }

    [Fact]
    public async Task Records_may_be_deleted_up_to_amid_an_empty_batch()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Append("a=1 a=2 a=3 a=4 a=5").Roll();
        await script.CompactAsync();
        await script.Log.DeleteBeforeAsync(new(2));
        await script.Harness.ReopenAfterPowerFailureAsync();
        Assert.Equal(new Offset(2), script.Log.LogStartOffset);
        Assert.Equal("4:a=5 5:z=z", script.Content());
        Assert.Null(script.Log.CheckAll());
    }

    [Fact]
    public async Task Young_records_stay_and_old_ones_do_not_wait()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Log.Options = script.Log.Options with { Compaction = new() { MinLagMs = 1000, MaxLagMs = 5000 } };
        script.Append("a=1 a=2").Roll("a=3").Roll();
        await script.Harness.FlushAsync();
        Assert.Equal(0, script.Log.CompactionBacklog(script.Log.LogEndOffset).DirtyBytes);
        script.Harness.Clock.AdvanceMs(1001);
        var backlog = script.Log.CompactionBacklog(script.Log.LogEndOffset);
        Assert.Equal((true, 1.0, false), (backlog.DirtyBytes > 0, backlog.DirtyRatio, backlog.IsOverdue));

        await script.CompactAsync();
        Assert.Equal("2:a=3 3:z=z", script.Content());
        script.Log.Roll();
        script.Append("a=4");
        await script.Harness.FlushAsync();
        script.Harness.Clock.AdvanceMs(5001);
        backlog = script.Log.CompactionBacklog(script.Log.LogEndOffset);
        Assert.True(backlog.IsOverdue);
        Assert.True(backlog.IsDue(new() { MinDirtyRatio = 1 }));

        // The active segment is as old, and the next append begins another.
        Assert.Equal(3, script.Log.Segments.Count);
        script.Append("a=5");
        Assert.Equal(4, script.Log.Segments.Count);
    }

    [Fact]
    public async Task Damage_gets_no_new_checksum()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Append("a=1 b=1 a=2").Roll();
        script.Harness.Disk.FlipBit(LogHarness.SegmentPath(0), 90);

        await Assert.ThrowsAnyAsync<OrleansLog.Storage.StorageException>(() => script.CompactAsync());

        Assert.Equal(new Offset(1), script.Log.FirstRefusedOffset);
        Assert.Null(script.Log.Failure);
        Assert.Null(await script.CompactAsync());
    }

    [Fact]
    public async Task How_far_a_log_was_compacted_is_known_after_a_restart()
    {
        var script = await new CompactionScript().OpenAsync();
        script.Append("a=1 a=2").Roll("a=3");
        await script.CompactAsync();
        await script.Harness.ReopenAsync();
        Assert.Equal(new Offset(2), script.Log.CompactedBefore);
        Assert.Equal(0, script.Log.CompactionBacklog(script.Log.LogEndOffset).DirtyBytes);
    }

    [Fact]
    public void The_hash_of_a_key_is_SipHash_with_128_bits()
    {
        // Vectors of the reference implementation (https://github.com/veorq/SipHash): the key is 00 01 .. 0f.
        var hasher = new KeyHasher((0x0706050403020100, 0x0f0e0d0c0b0a0908));
        Assert.Equal(new KeyHash(0xe6a825ba047f81a3, 0x930255c71472f66d), hasher.Hash([]));
        Assert.Equal(new KeyHash(0x44af996bd8c187da, 0x45fc229b11597634), hasher.Hash([0]));
        Assert.Equal(new KeyHash(0xc75da4a48d227781, 0xe4ff0af6de8ba3fc), hasher.Hash([0, 1]));
    }
}
