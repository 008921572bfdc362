using System.Globalization;
using OrleansLog.Protocol;
using OrleansLog.Storage;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.UnitTests.Storage.Tiering;

/// <summary>A log whose sealed segments are kept in a remote store as well.</summary>
public sealed class TieredLogTests
{
    private const string Prefix = "topic/0/";
    private const string Manifest = Prefix + "manifest.json";
    private static readonly int BatchBytes = TestBatches.Of(1, [1, 7, 7]).Length;

    private readonly LogHarness _harness = new() { Options = new LogOptions { SegmentBytes = 3 * BatchBytes, IndexIntervalBytes = 100 } };
    private readonly MemoryRemoteStore _store;
    private RemoteCache _cache;
    private int _ids;

    public TieredLogTests()
    {
        _store = new(_harness.Clock);
        _cache = NewCache(bytesMax: 1 << 20);
    }

    private PartitionLog Log => _harness.Log;

    [Fact]
    public async Task What_is_sealed_and_stable_is_kept_in_the_store_and_only_then_may_go_from_the_disk()
    {
        await _harness.OpenAsync();
        _harness.Append(batches: 8);
        var stable = new Offset(5);
        var tiered = NewLeadership(1, () => stable);
        tiered.Options = new() { LocalRetentionBytes = 0 };
        Assert.Equal(Offset.Zero, tiered.LocalRetentionOffset());

        await tiered.StepAsync(default);
        Assert.Equal((new Offset(3), new Offset(3)), (tiered.TieredEnd, tiered.LocalRetentionOffset()));

        stable = new(8);
        await tiered.StepAsync(default);
        // The active segment, of 6 and 7, stays.
        Assert.Equal((new Offset(6), new Offset(6)), (tiered.TieredEnd, tiered.LocalRetentionOffset()));
        Assert.Equal(Offset.Zero, tiered.LogStartOffset);
    }

    [Fact]
    public async Task What_went_from_the_disk_reads_as_it_did()
    {
        await _harness.OpenAsync();
        _harness.Append(batches: 20);
        var written = _harness.ReadAll(Offset.Zero);
        var tiered = NewLeadership(1);
        await tiered.StepAsync(default);
        await Log.DeleteBeforeAsync(tiered.TieredEnd);

        Assert.Equal(written, (await ReadStoredAsync(tiered, Offset.Zero)).Concat(_harness.ReadAll(tiered.TieredEnd)));
        Assert.Equal(written[(7 * BatchBytes)..], (await ReadStoredAsync(tiered, new Offset(7))).Concat(_harness.ReadAll(tiered.TieredEnd)));
        Assert.Equal(ErrorCode.OffsetOutOfRange, tiered.Read(tiered.TieredEnd, 100, minOneBatch: true).Error);
    }

    [Fact]
    public async Task An_upload_that_reads_otherwise_than_it_was_written_is_not_used()
    {
        await _harness.OpenAsync();
        _harness.Append(batches: 4);
        _store.Fault = (what, name) =>
        {
            if (what == "replace" && name.EndsWith(RemoteSegment.IndexSuffix, StringComparison.Ordinal))
                _store.Alter(name[..^RemoteSegment.IndexSuffix.Length], bytes => bytes[70] ^= 1);
            return StoreFault.None;
        };
        var tiered = NewLeadership(1);
        await Assert.ThrowsAsync<IOException>(() => tiered.StepAsync(default));
        Assert.Equal(Offset.None, tiered.TieredEnd);

        _store.Fault = static (_, _) => StoreFault.None;
        await tiered.StepAsync(default);
        Assert.Equal(new Offset(3), tiered.TieredEnd);
    }

    [Fact]
    public async Task A_lost_answer_to_the_write_of_the_manifest_is_recognised()
    {
        await _harness.OpenAsync();
        _harness.Append(batches: 8);
        _store.Fault = static (what, name) => what == "replace" && name == Manifest ? StoreFault.LosesReply : StoreFault.None;
        var tiered = NewLeadership(1);
        await tiered.StepAsync(default);
        Assert.Equal((new Offset(6), 2), (tiered.TieredEnd, tiered.Manifest!.Segments.Length));
    }

    [Fact]
    public async Task An_earlier_leader_changes_nothing_any_more()
    {
        await _harness.OpenAsync();
        _harness.Append(batches: 4);
        var earlier = NewLeadership(1);
        await earlier.StepAsync(default);
        var later = NewLeadership(2);
        await later.ClaimAsync(default);
        _harness.Append(batches: 6);

        await Assert.ThrowsAsync<IOException>(() => earlier.StepAsync(default));

        await later.StepAsync(default);
        Assert.Equal(new Offset(9), later.TieredEnd);
        Assert.All(later.Manifest!.Segments.Skip(1), segment => Assert.Contains("-2-", segment.Name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_leader_whose_segments_begin_elsewhere_goes_on_amid_one()
    {
        await _harness.OpenAsync();
        _harness.Append(batches: 4);
        await NewLeadership(1).StepAsync(default);
        _harness.Append(batches: 10);
        var other = await new LogHarness { Options = new LogOptions { SegmentBytes = 4 * BatchBytes } }.OpenAsync();
        other.Append(_harness.ReadAll(Offset.Zero)[..(4 * BatchBytes)]);
        for (var at = 4; at < 14; at++) other.Append(_harness.ReadAll(Offset.Zero)[(at * BatchBytes)..((at + 1) * BatchBytes)]);

        var tiered = NewLeadership(2, log: other.Log);
        await tiered.StepAsync(default);

        Assert.Equal([3, 4, 8], tiered.Manifest!.Segments.Select(segment => segment.NextOffset.Value).Take(3));
        Assert.Equal(other.ReadAll(Offset.Zero)[..(int)(tiered.TieredEnd.Value * BatchBytes)], await ReadStoredAsync(tiered, Offset.Zero));
    }

    [Fact]
    public async Task What_somebody_altered_in_the_store_is_never_served()
    {
        await _harness.OpenAsync();
        _harness.Append(batches: 8);
        var tiered = NewLeadership(1);
        await tiered.StepAsync(default);
        _store.Alter(tiered.Manifest!.Segments[0].Name, bytes => bytes[BatchBytes + 70] ^= 1);
        _store.Remove(tiered.Manifest.Segments[1].Name);

        Assert.Equal(ErrorCode.CorruptMessage, (await ReadAsync(tiered, new Offset(1))).Error);
        Assert.Equal(ErrorCode.KafkaStorageError, (await ReadAsync(tiered, new Offset(4))).Error);
    }

    [Fact]
    public async Task A_manifest_that_somebody_altered_is_not_believed()
    {
        await _harness.OpenAsync();
        _harness.Append(batches: 8);
        await NewLeadership(1).StepAsync(default);
        _store.Alter(Manifest, bytes => bytes[bytes.AsSpan().IndexOf("\"nextOffset\": 3"u8) + 14] = (byte)'4');
        await Assert.ThrowsAsync<InvalidDataException>(() => NewLeadership(2).StepAsync(default));
    }

    [Fact]
    public async Task Retention_counts_the_store_and_the_disk_together()
    {
        await _harness.OpenAsync();
        _harness.Append(batches: 10);
        var tiered = NewLeadership(1);
        await tiered.StepAsync(default);
        await Log.DeleteBeforeAsync(tiered.TieredEnd);
        tiered.Options = new() { RetentionBytes = 5 * BatchBytes, GarbageDelayMs = 1000 };

        await tiered.StepAsync(default);
        Assert.Equal((new Offset(3), new Offset(3)), (tiered.LogStartOffset, tiered.Manifest!.Segments[0].BaseOffset));
        Assert.Equal(ErrorCode.OffsetOutOfRange, tiered.Read(new Offset(2), 100, minOneBatch: true).Error);
        Assert.Equal(1 + (3 * 2), _store.Names.Count);

        _harness.Clock.Advance(TimeSpan.FromSeconds(2));
        await tiered.StepAsync(default);
        Assert.Equal(1 + (2 * 2), _store.Names.Count);
        Assert.Empty(tiered.Manifest.Garbage);
    }

    [Fact]
    public async Task What_has_expired_altogether_does_not_come_back()
    {
        await _harness.OpenAsync();
        _harness.Append(batches: 7);
        var tiered = NewLeadership(1);
        tiered.Options = new() { RetentionMs = 1 };
        await tiered.StepAsync(default);
        Assert.Equal((new Offset(6), new Offset(6)), (tiered.LogStartOffset, tiered.LocalRetentionOffset()));
        var objects = _store.Names.ToList();

        await tiered.StepAsync(default);
        Assert.Equal(objects, _store.Names);

        var later = NewLeadership(2);
        await later.ClaimAsync(default);
        Assert.Equal(new Offset(6), later.LogStartOffset);
    }

    [Fact]
    public async Task What_was_uploaded_and_never_published_is_swept_away_in_time()
    {
        await _harness.OpenAsync();
        _harness.Append(batches: 4);
        _store.Fault = static (what, name) => what == "replace" && name != Manifest ? StoreFault.Fails : StoreFault.None;
        await Assert.ThrowsAsync<IOException>(() => NewLeadership(1).StepAsync(default));
        _store.Fault = static (_, _) => StoreFault.None;
        var later = NewLeadership(2);
        await later.StepAsync(default);
        Assert.Equal(1 + 1 + 2, _store.Names.Count);

        _harness.Clock.Advance(TimeSpan.FromHours(7));
        await later.StepAsync(default);
        Assert.Equal([.. later.Manifest!.Segments.SelectMany(segment => new[] { segment.Name, segment.IndexName }), Manifest], _store.Names);
    }

    [Fact]
    public async Task Records_are_found_by_time_in_the_store()
    {
        await _harness.OpenAsync();
        for (var i = 0; i < 9; i++) _harness.Append(TestBatches.Of(1000 + (10 * i), [1, 7, 7]));
        var tiered = NewLeadership(1);
        await tiered.StepAsync(default);

        Assert.Equal(new TimestampedOffset(new Offset(4), 1040), await tiered.FindByTimestampAsync(1031));
        Assert.Equal(new TimestampedOffset(Offset.Zero, 1000), await tiered.FindByTimestampAsync(0));
        Assert.Null(await tiered.FindByTimestampAsync(1060));
    }

    [Fact]
    public async Task A_leader_that_has_less_than_the_store_takes_nothing_from_it()
    {
        await _harness.OpenAsync();
        _harness.Append(batches: 10);
        await NewLeadership(1).StepAsync(default);
        var objects = _store.Names.ToList();
        await Log.TruncateToAsync(new Offset(4));
        await Assert.ThrowsAsync<InvalidDataException>(() => NewLeadership(2).StepAsync(default));

        // The same offsets, and other records.
        _harness.Append(batches: 9, epoch: 2);
        await Assert.ThrowsAsync<InvalidDataException>(() => NewLeadership(3).StepAsync(default));
        Assert.Equal(objects, _store.Names);
    }

    [Fact]
    public async Task A_log_that_begins_where_the_store_ends_is_one_with_it()
    {
        await _harness.OpenAsync();
        _harness.Append(batches: 8, epoch: 1);
        var written = _harness.ReadAll(Offset.Zero);
        var earlier = NewLeadership(1);
        await earlier.StepAsync(default);
        await Log.ResetToAsync(earlier.TieredEnd);

        var tiered = NewLeadership(7);
        await tiered.ClaimAsync(default);
        Assert.Equal((Offset.Zero, new Offset(6)), (tiered.LogStartOffset, tiered.TieredEnd));
        Assert.Equal(new EpochEndOffset(new(1), new Offset(6)), tiered.EndOffsetFor(new(1)));
        _harness.Append(batches: 4, epoch: 7);
        await tiered.StepAsync(default);

        Assert.Equal(new Offset(9), tiered.TieredEnd);
        Assert.Equal(written[..(6 * BatchBytes)], (await ReadStoredAsync(tiered, Offset.Zero))[..(6 * BatchBytes)]);
        Assert.Equal((new(1), new Offset(6)), (tiered.EndOffsetFor(new(5)).Epoch, tiered.EndOffsetFor(new(5)).EndOffset));
        Assert.Equal(new EpochEndOffset(new(7), new Offset(10)), tiered.EndOffsetFor(new(7)));
    }

    [Fact]
    public async Task A_manifest_that_somebody_deleted_is_written_again_by_who_knows_it_and_by_nobody_else()
    {
        await _harness.OpenAsync();
        _harness.Append(batches: 8);
        var tiered = NewLeadership(1);
        await tiered.StepAsync(default);
        _store.Remove(Manifest);
        await Assert.ThrowsAsync<InvalidDataException>(() => NewLeadership(2).StepAsync(default));
        Assert.DoesNotContain(Manifest, _store.Names);

        _harness.Append(batches: 4);
        await tiered.StepAsync(default);
        Assert.Equal(new Offset(9), tiered.TieredEnd);
        var later = NewLeadership(2);
        await later.ClaimAsync(default);
        Assert.Equal(tiered.Manifest!.Segments.Select(segment => segment.Name), later.Manifest!.Segments.Select(segment => segment.Name));
    }

    [Fact]
    public async Task What_is_taken_out_of_the_store_goes_when_its_readers_are_done()
    {
        await _harness.OpenAsync();
        _harness.Append(batches: 8);
        var tiered = NewLeadership(1);
        await tiered.StepAsync(default);
        await Log.DeleteBeforeAsync(new Offset(4));
        var dropping = NewLeadership(2);
        dropping.Options = new() { GarbageDelayMs = 1000 };
        Assert.False(await dropping.DropAsync(default));
        Assert.Equal(1 + (2 * 2), _store.Names.Count);
        await Assert.ThrowsAsync<IOException>(() => tiered.DeleteBeforeAsync(new Offset(5), default));

        _harness.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.True(await dropping.DropAsync(default));
        Assert.Equal([Manifest], _store.Names);
        var again = NewLeadership(3);
        await again.StepAsync(default);
        Assert.Equal((new Offset(4), new Offset(6)), (again.LogStartOffset, again.TieredEnd));
        Assert.True(await NewLeadership(1, log: (await new LogHarness().OpenAsync()).Log, prefix: "other/0/").DropAsync(default));
    }

    /// <summary>Whatever fails, and whoever leads: every record is in the store or on the disk, and reads as it was written.</summary>
    [Fact]
    public async Task Nothing_is_lost_whatever_the_store_does()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var test = new TieredLogTests();
            await test._harness.OpenAsync();
            test._store.Fault = (_, _) => random.Next(4) switch { 0 => StoreFault.Fails, 1 => StoreFault.LosesReply, _ => StoreFault.None };
            await test.RunAsync(random, seed);
        }
    }

    private async Task RunAsync(Random random, int seed)
    {
        var tiered = NewLeadership(1);
        var zombie = tiered;
        for (var i = 0; i < 40; i++)
        {
            switch (random.Next(6))
            {
                case 0 or 1: _harness.Append(batches: random.Next(1, 5)); break;
                case 2: (zombie, tiered) = (tiered, NewLeadership((int)tiered.Epoch.Value + 1)); break;
                case 3: await TryAsync(() => zombie.StepAsync(default)); break;
                case 4: await TryAsync(() => tiered.StepAsync(default)); break;
                case 5 when tiered.TieredEnd > Log.LogStartOffset: await Log.DeleteBeforeAsync(tiered.TieredEnd); break;
            }
        }

        _store.Fault = static (_, _) => StoreFault.None;
        tiered = NewLeadership((int)tiered.Epoch.Value + 1);
        await tiered.StepAsync(default);
        byte[] all = [.. tiered.TieredEnd > Offset.Zero ? await ReadStoredAsync(tiered, Offset.Zero) : [], .. _harness.ReadAll(Offset.Max(tiered.TieredEnd, Offset.Zero))];
        Assert.True(all.Length == Log.LogEndOffset.Value * BatchBytes, $"seed {seed.ToString(CultureInfo.InvariantCulture)}: {all.Length} bytes are left of {Log.LogEndOffset.Value * BatchBytes}");
        if (all.Length > 0) Assert.Equal(Log.LogEndOffset, LogHarness.NextOffset(all));
    }

    private static async Task TryAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (IOException)
        {
            // The next attempt goes on.
        }
    }

    private TieredLog NewLeadership(int epoch, Func<Offset>? stable = null, PartitionLog? log = null, string prefix = Prefix) => new(
        _cache, log ?? Log, prefix, new LeaderEpoch(epoch), stable ?? (() => (log ?? Log).LogEndOffset), NewId, _harness.Clock, _harness.Logger);

    private Guid NewId() => new(++_ids, 0, 0, new byte[8]);

    private RemoteCache NewCache(long bytesMax)
    {
        var cache = new RemoteCache(_store, _harness.Disk, "/data/remote-cache", new() { MemoryBytesMax = bytesMax, DiskBytesMax = bytesMax }, _harness.Clock, _harness.Logger);
        cache.Begin();
        return cache;
    }

    private static async Task<LogRead> ReadAsync(TieredLog tiered, Offset from)
    {
        while (true)
        {
            var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            tiered.Arrived = () => arrived.TrySetResult();
            var read = tiered.Read(from, 200, minOneBatch: true);
            if (read.Error != ErrorCode.None || !read.Slice.IsEmpty) return read;
            await arrived.Task;
        }
    }

    private static async Task<byte[]> ReadStoredAsync(TieredLog tiered, Offset from)
    {
        using var all = new MemoryStream();
        while (from < tiered.TieredEnd)
        {
            var read = await ReadAsync(tiered, from);
            Assert.Equal(ErrorCode.None, read.Error);
            var bytes = LogHarness.Bytes(read);
            from = LogHarness.NextOffset(bytes);
            all.Write(bytes);
        }

        return all.ToArray();
    }
}
