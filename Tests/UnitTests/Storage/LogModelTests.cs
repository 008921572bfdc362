using System.Globalization;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Storage;

/// <summary>
/// Random histories of one log against a list of batches: whatever was flushed is there after every crash, byte for
/// byte and at its offset; whatever else is there is what was appended.
/// </summary>
public class LogModelTests
{
    [Theory]
    [MemberData(nameof(Ranges))]
    public async Task Flushed_records_survive_every_crash_at_their_offsets(int firstSeed, int count)
    {
        for (var seed = firstSeed; seed < firstSeed + count; seed++)
        {
            try
            {
                await new LogModel(seed).RunAsync(steps: 60);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        }
    }

    public static TheoryData<int, int> Ranges() => [.. Enumerable.Range(0, Seeds / 100).Select(i => (i * 100, 100))];

    // More of them: ORLEANSLOG_SEEDS=N.
    private static int Seeds =>
        int.TryParse(Environment.GetEnvironmentVariable("ORLEANSLOG_SEEDS"), CultureInfo.InvariantCulture, out var count) ? count : 500;
}

/// <summary>One random history.</summary>
internal sealed class LogModel
{
    private readonly Random _random;
    private readonly LogHarness _harness;
    private readonly List<(Offset Base, Offset Next, byte[] Bytes)> _batches = [];
    private Offset _start = Offset.Zero;
    private Offset _end = Offset.Zero;
    private Offset _flushed = Offset.Zero;
    private int _epoch;

    public LogModel(int seed)
    {
        _random = new Random(seed);
        _harness = new LogHarness(seed)
        {
            Options = new LogOptions
            {
                SegmentBytes = 1000 << _random.Next(6),
                // Half of them would roll at every restart, for the batches' timestamps are old.
                SegmentMs = seed % 2 == 0 ? long.MaxValue : new LogOptions().SegmentMs,
                IndexIntervalBytes = 64 << _random.Next(5),
                CheckpointBytes = 1000 << _random.Next(6),
                FlushMessages = _random.Next(3) switch { 0 => 1, 1 => 5, _ => long.MaxValue },
            },
        };
        _harness.Disk.ReadBytesMax = _random.Next(2) == 0 ? int.MaxValue : 100;
    }

    private PartitionLog Log => _harness.Log;

    public async Task RunAsync(int steps)
    {
        await _harness.OpenAsync();
        for (var i = 0; i < steps; i++)
        {
            await StepAsync();
            Assert.Equal(_end, Log.LogEndOffset);
            Assert.Equal(_start, Log.LogStartOffset);
            Assert.True(Log.FlushedOffset >= _flushed);
        }

        CheckContent();
    }

    private async Task StepAsync()
    {
        switch (_random.Next(100))
        {
            case < 50: Append(); break;
            case < 62: await SettleAsync(); break;
            case < 72: CheckRead(); break;
            case < 80: await _harness.ReopenAfterPowerFailureAsync(); AfterCrash(); break;
            case < 84: await _harness.ReopenAfterKillAsync(); AfterKill(); break;
            case < 87: await _harness.ReopenAsync(); AfterKill(); break;
            case < 91: await TruncateAsync(); break;
            case < 94: await DeleteAsync(); break;
            case < 95: await ResetAsync(); break;
            case < 97: Log.Roll(); break;
            default: AppendToFullDisk(); break;
        }
    }

    private void Append()
    {
        var batches = Enumerable.Range(0, _random.Next(1, 4)).Select(_ => RandomBatch()).ToArray();
        if (_random.Next(10) == 0) _epoch++;
        var bytes = batches.SelectMany(b => b).ToArray();
        var result = _harness.Append(bytes, _epoch);
        Assert.Equal(_end, result.BaseOffset);
        for (var at = 0; at < bytes.Length;)
        {
            RecordBatchHeader.TryRead(bytes.AsSpan(at), out var header);
            _batches.Add((header.BaseOffset, header.NextOffset, bytes[at..(at + header.SizeInBytes)]));
            at += header.SizeInBytes;
        }

        _end = _batches[^1].Next;
        Assert.Equal(_end, result.NextOffset);
    }

    private byte[] RandomBatch() =>
        TestBatches.Random(_random, _random.Next(10) == 0 ? _random.Next(6000) : _random.Next(300), _random.Next(1, 4));

    private void AppendToFullDisk()
    {
        var used = _harness.Disk.List(LogHarness.Directory).Sum(entry => entry.Length);
        _harness.Disk.CapacityBytes = used + _random.Next(60);
        try
        {
            Append();
        }
        catch (StorageException)
        {
            Assert.Equal(_end, Log.LogEndOffset);
        }

        _harness.Disk.CapacityBytes = long.MaxValue;
    }

    private async Task SettleAsync()
    {
        await Log.SettleAsync(_end);
        Assert.True(Log.SettledOffset >= _end);
        _flushed = Log.FlushedOffset;
    }

    private void AfterCrash()
    {
        var survived = _batches.Count(batch => batch.Next <= Log.LogEndOffset);
        Assert.True(Log.LogEndOffset >= _flushed, $"{_flushed} was flushed, the log ends at {Log.LogEndOffset}");
        _batches.RemoveRange(survived, _batches.Count - survived);
        Assert.Equal(_batches.Count > 0 ? _batches[^1].Next : _start, Log.LogEndOffset);
        AfterKill();
    }

    private void AfterKill()
    {
        _end = Log.LogEndOffset;
        Assert.Equal(_batches.Count > 0 ? _batches[^1].Next : _start, _end);
        Assert.Equal(_end, Log.FlushedOffset);
        _flushed = _end;
        CheckContent();
    }

    private async Task TruncateAsync()
    {
        var offset = RandomOffset();
        await Log.TruncateToAsync(offset);
        _batches.RemoveAll(batch => batch.Next > offset);
        _end = _batches.Count > 0 ? _batches[^1].Next : _start;
        _flushed = Log.FlushedOffset;
    }

    private async Task DeleteAsync()
    {
        var offset = RandomOffset();
        Assert.Equal(offset, await Log.DeleteBeforeAsync(offset));
        _start = offset;
        _batches.RemoveAll(batch => batch.Next <= offset);
        _flushed = Log.FlushedOffset;
    }

    // Elsewhere, and with a crash half way as often as not.
    private async Task ResetAsync()
    {
        var (before, start) = (_start, new Offset(_random.NextInt64(_end.Value + 50)));
        if (_random.Next(2) == 0)
        {
            await Log.ResetToAsync(start);
        }
        else
        {
            _harness.Disk.HoldFlushes = true;
            var reset = Log.ResetToAsync(start);
            for (var flushes = _random.Next(12); flushes > 0 && !reset.IsCompleted; flushes--) _harness.Disk.ReleaseFlushes();
            _harness.Disk.HoldFlushes = false;
            await _harness.ReopenAfterPowerFailureAsync();
            if (Log.LogEndOffset > Log.LogStartOffset || (_batches.Count == 0 && Log.LogStartOffset == before))
            {
                // It may have been cut back to there.
                if (start < _flushed) _flushed = _batches.LastOrDefault(batch => batch.Next <= start).Next;
                AfterCrash();
                return;
            }

            Assert.True(Log.LogStartOffset == start || Log.LogStartOffset == before, $"{before} to {_end}, {start}: {Log.LogStartOffset} {string.Join(" / ", _harness.Logger.Entries.TakeLast(3))}");
            start = Log.LogStartOffset;
        }

        _batches.Clear();
        (_start, _end, _flushed) = (start, start, start);
    }

    private Offset RandomOffset() => _start + _random.NextInt64(_end - _start + 1);

    private void CheckRead()
    {
        var from = RandomOffset();
        var limit = RandomOffset();
        var maxBytes = _random.Next(1, 3000);
        var read = Log.Read(from, maxBytes, limit);
        Assert.Equal(ErrorCode.None, read.Error);
        var expected = _batches.SkipWhile(b => b.Next <= from).TakeWhile(b => from < limit && b.Next <= limit).ToArray();
        var bytes = LogHarness.Bytes(read);
        Assert.Equal(expected.Length == 0, bytes.Length == 0);
        Assert.True(bytes.Length <= Math.Max(maxBytes, expected.Length == 0 ? 0 : expected[0].Bytes.Length));
        Assert.True(BytesOf(expected).AsSpan().StartsWith(bytes));
        if (bytes.Length > 0) LogHarness.NextOffset(bytes);
    }

    private void CheckContent()
    {
        var first = _batches.Count > 0 ? Offset.Max(_start, _batches[0].Base) : _start;
        var bytes = _harness.ReadAll(first, _random.Next(1, 5000));
        Assert.True(BytesOf(_batches).AsSpan().SequenceEqual(bytes));
        CheckTimes();
        Assert.DoesNotContain(_harness.Logger.Entries, entry => entry.Message.Contains("damaged", StringComparison.Ordinal));
    }

    // By batch: which record of it, other tests look at.
    private void CheckTimes()
    {
        if (_batches.Count == 0 || _batches[0].Base < _start) return;
        var times = _batches.ConvertAll(batch => MaxTimestampOf(batch.Bytes));
        foreach (var time in (long[])[0, 1_000_000 + _random.Next(1000), times.Max()])
        {
            var first = times.FindIndex(t => t >= time);
            var found = Log.FindByTimestamp(time);
            if (first < 0) Assert.Null(found);
            else Assert.InRange(found!.Value.Offset.Value, _batches[first].Base.Value, _batches[first].Next.Value - 1);
        }

        Assert.Equal(times.Max(), Log.FindMaxTimestamp()!.Value.TimestampMs);
    }

    private static long MaxTimestampOf(byte[] batch)
    {
        RecordBatchHeader.TryRead(batch, out var header);
        return header.MaxTimestamp;
    }

    private static byte[] BytesOf(IEnumerable<(Offset Base, Offset Next, byte[] Bytes)> batches)
    {
        using var all = new MemoryStream();
        foreach (var batch in batches) all.Write(batch.Bytes);
        return all.ToArray();
    }
}
