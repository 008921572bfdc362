using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Storage;

/// <summary>What a log knows of transactions: what readers of committed records may see, and that it goes on knowing it, whatever happens.</summary>
public sealed class TransactionTests
{
    private const ErrorCode Ok = ErrorCode.None;

    private static readonly LogOptions Small = new() { FlushMessages = long.MaxValue, CheckpointBytes = 900, SegmentBytes = 2500, IndexIntervalBytes = 100 };

    private static byte[] Batch(long id, int sequence, short epoch = 0, bool isTransactional = true, int records = 1)
    {
        using var builder = new RecordBatchBuilder(1 << 20) { ProducerId = id, ProducerEpoch = epoch, BaseSequence = sequence, IsTransactional = isTransactional };
        for (var i = 0; i < records; i++) builder.TryAppend(1000, [], keyIsNull: true, new byte[20], false, []);
        return builder.Build().ToArray();
    }

    private static AppendResult Produce(LogHarness harness, byte[] batch) =>
        harness.Log.Append(batch, LeaderEpoch.Zero, new() { VerifiedAt = harness.Log.LogEndOffset });

    private static AppendResult End(LogHarness harness, long id, bool isCommit, short epoch = 0, int coordinator = 0, bool hasNewEpoch = false) =>
        harness.Log.Append(new EndTransactionMarker(id, epoch, isCommit, coordinator).Encode(1000), LeaderEpoch.Zero, new() { MarkerHasNewEpoch = hasNewEpoch });

    private static Offset Stable(LogHarness harness, long? highWatermark = null) =>
        harness.Log.LastStableOffset(highWatermark is { } given ? new(given) : harness.Log.LogEndOffset);

    private static string Aborted(LogHarness harness, long from = 0)
    {
        var read = harness.Log.Read(new(from), 1 << 20, harness.Log.LogEndOffset);
        return string.Join(' ', harness.Log.AbortedTransactions(new(from), read.Slice).Select(a => $"{a.ProducerId}:{a.First}-{a.Marker}"));
    }

    [Fact]
    public async Task The_last_stable_offset_is_the_first_record_of_an_open_transaction()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(2);
        Produce(harness, Batch(7, 0));
        Produce(harness, Batch(8, 0));
        harness.Append(1);
        Assert.Equal(new Offset(2), Stable(harness));
        End(harness, 7, isCommit: true);
        Assert.Equal(new Offset(3), Stable(harness));
        End(harness, 8, isCommit: true);
        Assert.Equal(new Offset(7), Stable(harness));
    }

    [Fact]
    public async Task An_outcome_counts_when_it_is_committed_itself()
    {
        var harness = await new LogHarness().OpenAsync();
        Produce(harness, Batch(7, 0));
        End(harness, 7, isCommit: true);
        harness.Append(1);
        Assert.Equal(Offset.Zero, Stable(harness, highWatermark: 1));
        Assert.Equal(new Offset(2), Stable(harness, highWatermark: 2));
    }

    [Fact]
    public async Task Aborted_transactions_are_told_of_where_they_touch_what_was_read()
    {
        var harness = await new LogHarness().OpenAsync();
        Produce(harness, Batch(7, 0));
        Produce(harness, Batch(8, 0));
        End(harness, 7, isCommit: false);
        End(harness, 8, isCommit: true);
        Produce(harness, Batch(9, 0));
        End(harness, 9, isCommit: false);
        Assert.Equal("7:0-2 9:4-5", Aborted(harness));
        Assert.Equal("9:4-5", Aborted(harness, from: 3));
        Assert.Equal("", Aborted(harness, from: 6));
        var first = harness.Log.Read(Offset.Zero, 1, harness.Log.LogEndOffset).Slice;
        Assert.Equal([7L], harness.Log.AbortedTransactions(Offset.Zero, first).Select(a => a.ProducerId));
    }

    [Fact]
    public async Task A_transaction_begins_only_if_it_was_verified_and_has_not_ended_since()
    {
        var harness = await new LogHarness().OpenAsync();
        Assert.Equal(ErrorCode.InvalidTxnState, harness.Append(Batch(7, 0)).Error);
        var before = harness.Log.LogEndOffset;
        End(harness, 7, isCommit: false);
        Assert.Equal(ErrorCode.InvalidTxnState, harness.Log.Append(Batch(7, 0), LeaderEpoch.Zero, new() { VerifiedAt = before }).Error);
        Assert.Equal(Ok, Produce(harness, Batch(7, 0)).Error);
        Assert.Equal(Ok, harness.Append(Batch(7, 1)).Error);
        Assert.Equal(ErrorCode.InvalidTxnState, harness.Append(Batch(7, 2, isTransactional: false)).Error);
        Assert.True(harness.Log.IsInTransaction(7, 0));
    }

    [Fact]
    public async Task A_marker_fences_its_producer_and_earlier_coordinators()
    {
        var harness = await new LogHarness().OpenAsync();
        Produce(harness, Batch(7, 0, epoch: 3));
        Assert.Equal(ErrorCode.InvalidProducerEpoch, End(harness, 7, isCommit: false, epoch: 2).Error);
        Assert.Equal(Ok, End(harness, 7, isCommit: false, epoch: 4, coordinator: 5).Error);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, Produce(harness, Batch(7, 1, epoch: 3)).Error);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, Produce(harness, Batch(7, 1, epoch: 4)).Error);
        Assert.Equal(Ok, Produce(harness, Batch(7, 0, epoch: 4)).Error);
        Assert.Equal(ErrorCode.TransactionCoordinatorFenced, End(harness, 7, isCommit: true, epoch: 4, coordinator: 4).Error);
    }

    [Fact]
    public async Task A_marker_that_is_late_does_not_end_the_next_transaction()
    {
        var harness = await new LogHarness().OpenAsync();
        Produce(harness, Batch(7, 0, epoch: 1));
        Assert.Equal(Ok, End(harness, 7, isCommit: true, epoch: 2, hasNewEpoch: true).Error);
        Produce(harness, Batch(7, 0, epoch: 2));
        Assert.Equal(ErrorCode.ConcurrentTransactions, End(harness, 7, isCommit: true, epoch: 2, hasNewEpoch: true).Error);
        Assert.True(harness.Log.IsInTransaction(7, 2));
    }

    [Fact]
    public async Task The_word_of_a_coordinator_that_was_deposed_begins_no_transaction()
    {
        var harness = await new LogHarness().OpenAsync();
        Produce(harness, Batch(7, 0, epoch: 1));
        Assert.Equal(Ok, End(harness, 7, isCommit: true, epoch: 2, coordinator: 5, hasNewEpoch: true).Error);
        Assert.Equal(ErrorCode.TransactionCoordinatorFenced, ProduceBy(4).Error);
        Assert.False(harness.Log.IsInTransaction(7, 2));
        Assert.Equal(Ok, ProduceBy(5).Error);
        Assert.True(harness.Log.IsInTransaction(7, 2));

        AppendResult ProduceBy(int coordinator) => harness.Log.Append(
            Batch(7, 0, epoch: 2), LeaderEpoch.Zero, new() { VerifiedAt = harness.Log.LogEndOffset, VerifiedBy = coordinator });
    }

    [Fact]
    public async Task Who_has_a_transaction_open_is_not_forgotten()
    {
        var harness = await new LogHarness { Options = new LogOptions { ProducerIdExpirationMs = 1000 } }.OpenAsync();
        Produce(harness, Batch(7, 0));
        harness.Append(Batch(8, 0, isTransactional: false));
        harness.Clock.AdvanceMs(5000);
        harness.Append(Batch(9, 0, isTransactional: false));
        Assert.Equal([7L, 9L], harness.Log.DescribeProducers().Select(p => p.ProducerId));
        Assert.Equal(Offset.Zero, harness.Log.DescribeProducers()[0].TransactionStart);
    }

    [Fact]
    public async Task What_was_deleted_is_not_told_of()
    {
        var harness = await new LogHarness { Options = Small }.OpenAsync();
        Produce(harness, Batch(7, 0));
        End(harness, 7, isCommit: false);
        Produce(harness, Batch(8, 0));
        End(harness, 8, isCommit: false);
        await harness.Log.DeleteBeforeAsync(new(3));
        Assert.Equal("8:2-3", Aborted(harness, from: 3));
        await harness.ReopenAsync();
        Assert.Equal("8:2-3", Aborted(harness, from: 3));
    }

    [Fact]
    public async Task A_log_from_before_transactions_is_read_as_it_was()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(Batch(7, 0, isTransactional: false));
        await harness.ReopenAsync();
        Assert.Equal(1, harness.Log.ProducerCount);
        Assert.Equal(new Offset(1), Stable(harness));
    }

    [Fact]
    public async Task Power_failures_truncations_and_followers_leave_the_transactions_of_what_is_left()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var harness = await new LogHarness(seed) { Options = Small }.OpenAsync();
            for (var round = 0; round < 4; round++)
            {
                Scramble(harness, random);
                AssertAgrees(harness, $"seed {seed}, round {round}, as appended");
                switch (random.Next(4))
                {
                    case 0: await harness.ReopenAfterPowerFailureAsync(); break;
                    case 1: await harness.ReopenAsync(); break;
                    case 2: await harness.Log.TruncateToAsync(new(random.NextInt64(harness.Log.LogStartOffset.Value, harness.Log.LogEndOffset.Value + 1))); break;
                    default: await harness.Log.DeleteBeforeAsync(new(random.NextInt64(harness.Log.LogEndOffset.Value + 1) / 3)); break;
                }

                AssertAgrees(harness, $"seed {seed}, round {round}");
            }

            await AssertFollowerAgreesAsync(harness, seed);
        }
    }

    private static void Scramble(LogHarness harness, Random random)
    {
        for (var i = 0; i < 25; i++)
        {
            var id = random.Next(3) + 1;
            var known = harness.Log.DescribeProducers().FirstOrDefault(p => p.ProducerId == id);
            var (epoch, next) = known.ProducerId == 0 ? ((short)0, 0) : (known.Epoch, known.LastSequence + 1);
            var error = random.Next(5) switch
            {
                0 => harness.Append(TestBatches.At(i)).Error,
                1 => End(harness, id, isCommit: true, epoch).Error,
                2 => End(harness, id, isCommit: false, (short)(epoch + 1)).Error,
                _ => Produce(harness, Batch(id, next, epoch, records: random.Next(1, 4))).Error,
            };
            Assert.Equal(Ok, error);
        }
    }

    // What a reader who goes through the whole log finds.
    private static void AssertAgrees(LogHarness harness, string when)
    {
        var open = new Dictionary<long, Offset>();
        var aborted = new List<string>();
        var start = harness.Log.LogStartOffset;
        foreach (var batch in new RecordBatchEnumerator(start < harness.Log.LogEndOffset ? harness.ReadAll(start) : []))
        {
            if (EndTransactionMarker.TryRead(batch.Bytes, out var marker))
            {
                if (open.Remove(marker.ProducerId, out var first) && !marker.IsCommit) aborted.Add($"{marker.ProducerId}:{first}-{batch.Header.BaseOffset}");
            }
            else if (batch.Header.IsTransactional) open.TryAdd(batch.Header.ProducerId, batch.Header.BaseOffset);
        }

        var told = new List<string>();
        for (var from = start; from < harness.Log.LogEndOffset;)
        {
            var slice = harness.Log.Read(from, 700, harness.Log.LogEndOffset).Slice;
            told.AddRange(harness.Log.AbortedTransactions(from, slice).Select(a => $"{a.ProducerId}:{a.First}-{a.Marker}"));
            from = LogHarness.NextOffset(LogHarness.Bytes(new(Ok, slice)));
        }

        var stable = open.Values.Append(harness.Log.LogEndOffset).Min();
        Assert.True(stable == Stable(harness) || Stable(harness) == start, $"{when}: stable up to {Stable(harness)} instead of {stable}");
        // One that began before the log's start is told of as it was.
        var (wanted, found) = (string.Join(' ', aborted.Select(End)), string.Join(' ', told.Distinct().Where(WasSeen).Select(End).OrderBy(text => long.Parse(text[(text.IndexOf('-') + 1)..]))));
        Assert.True(wanted == found, $"{when}: aborted were {wanted}, told of {found}");

        bool WasSeen(string text) => aborted.Select(End).Contains(End(text)) || long.Parse(text[(text.IndexOf(':') + 1)..text.IndexOf('-')]) >= start.Value;

        static string End(string text) => text[..text.IndexOf(':')] + text[text.IndexOf('-')..];
    }

    private static async Task AssertFollowerAgreesAsync(LogHarness leader, int seed)
    {
        var follower = await new LogHarness(seed) { Options = Small }.OpenAsync();
        if (leader.Log.LogStartOffset == leader.Log.LogEndOffset) return;
        await follower.Log.ResetToAsync(leader.Log.Read(leader.Log.LogStartOffset, 1, leader.Log.LogEndOffset) is { } first
            ? BaseOffset(LogHarness.Bytes(first)) : Offset.Zero);
        follower.Log.AppendAsFollower(leader.ReadAll(leader.Log.LogStartOffset));
        AssertAgrees(follower, $"seed {seed}, follower");
        await follower.ReopenAsync();
        AssertAgrees(follower, $"seed {seed}, follower after a restart");
    }

    private static Offset BaseOffset(byte[] batches)
    {
        RecordBatchHeader.TryRead(batches, out var header);
        return header.BaseOffset;
    }
}
