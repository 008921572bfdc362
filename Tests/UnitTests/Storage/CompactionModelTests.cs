using System.Globalization;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage;
using OrleansLog.Storage.Compaction;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Storage;

/// <summary>
/// Random histories of a compacted log, with crashes between any two steps of its files: the last value of every key is there, at
/// its offset, what there is was appended at its offset, no deleted key comes back, and a reader that is under way sees all of it.
/// </summary>
public class CompactionModelTests
{
    [Theory]
    [MemberData(nameof(Ranges))]
    public async Task The_last_value_of_every_key_survives_every_crash(int firstSeed, int count)
    {
        for (var seed = firstSeed; seed < firstSeed + count; seed++)
        {
            try
            {
                await new CompactionModel(seed).RunAsync(steps: 80);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        }
    }

    public static TheoryData<int, int> Ranges() =>
        Setting("ORLEANSLOG_SEED") is { } seed ? [(seed, 1)] : [.. Enumerable.Range(0, (Setting("ORLEANSLOG_SEEDS") ?? 400) / 100).Select(i => (i * 100, 100))];

    // More of them: ORLEANSLOG_SEEDS=N; one again: ORLEANSLOG_SEED=N.
    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : null;
}

/// <summary>One random history.</summary>
internal sealed class CompactionModel
{
    private sealed record Appended(Offset Offset, string Key, string Value, long Producer);

    private readonly Random _random;
    private readonly CompactionScript _script;
    private readonly List<Appended> _records = [];
    private readonly Dictionary<long, Offset> _open = [];
    private readonly List<(long Producer, Offset First, Offset Marker)> _aborted = [];
    private readonly int _keys;
    private int _epoch;
    private Offset _flushed = Offset.Zero;
    private Offset _start = Offset.Zero;
    // A reader under way: what it was given is all of it.
    private readonly Dictionary<string, string> _read = [];
    private Offset _readTo = Offset.Zero;
    private long _readSinceMs;

    public CompactionModel(int seed)
    {
        _random = new Random(seed);
        _script = new CompactionScript(seed) { Tools = new() { KeyBytesMax = _random.Next(3) switch { 0 => 1, 1 => 250, _ => 1 << 20 }, HashSeed = (1, (ulong)seed) } };
        _keys = _random.Next(2) == 0 ? 8 : 40;
        _script.Harness.Options = _script.Harness.Options with
        {
            SegmentBytes = 300 << _random.Next(5),
            CheckpointBytes = 1000 << _random.Next(6),
            SegmentMs = long.MaxValue,
            ProducerIdExpirationMs = 3000,
            Compaction = new() { DeleteRetentionMs = _random.Next(3) * 500 },
        };
        _script.Harness.Disk.ReadBytesMax = _random.Next(2) == 0 ? int.MaxValue : 100;
    }

    private PartitionLog Log => _script.Log;

    private FaultyFileSystem Disk => _script.Harness.Disk;

    public async Task RunAsync(int steps)
    {
        await _script.OpenAsync();
        for (var i = 0; i < steps; i++) await StepAsync();
        await CheckAsync();
    }

    private async Task StepAsync()
    {
        switch (_random.Next(100))
        {
            case < 40: Append(); break;
            case < 48: AppendInTransaction(); break;
            case < 54: EndTransaction(); break;
            case < 59: Log.Roll(); break;
            case < 64: await Log.FlushAsync(Log.LogEndOffset); _flushed = Log.LogEndOffset; break;
            case < 74: await CompactAsync(); break;
            case < 81: await CrashAmidCompactionAsync(); break;
            case < 85: await CompactOnFullDiskAsync(); break;
            case < 88: await _script.Harness.ReopenAfterPowerFailureAsync(); await AfterCrashAsync(); break;
            case < 90: await _script.Harness.ReopenAsync(); await CheckAsync(); break;
            case < 92: await DeleteAsync(); break;
            case < 94: _epoch++; break;
            case < 97: ReadOn(); break;
            default: _script.Harness.Clock.AdvanceMs(_random.Next(1500)); break;
        }
    }

    private string RandomRecord() => $"k{_random.Next(_keys)}={(_random.Next(4) == 0 ? "" : _random.Next(1000).ToString(CultureInfo.InvariantCulture))}";

    private string[] RandomRecords() => [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => RandomRecord())];

    private void Append()
    {
        var records = RandomRecords();
        if (_random.Next(3) > 0)
        {
            Note(_script.Append(_script.Batch(records), _epoch), records, -1);
            return;
        }

        var producer = _random.Next(3);
        var result = _script.Append(_script.Batch(records, producer, NextSequence(producer)), _epoch);
        Assert.Equal(ErrorCode.None, result.Error);
        Note(result, records, -1);
    }

    // One that was forgotten may begin with any number.
    private int NextSequence(long producer) => Log.DescribeProducers().Where(known => known.ProducerId == producer).Select(known => known.LastSequence).LastOrDefault(4710) + 1;

    private void AppendInTransaction()
    {
        var producer = 10L + _random.Next(3);
        var records = RandomRecords();
        var result = _script.Append(_script.Batch(records, producer, NextSequence(producer), isTransactional: true), _epoch);
        Assert.Equal(ErrorCode.None, result.Error);
        _open.TryAdd(producer, result.BaseOffset);
        Note(result, records, producer);
    }

    private void EndTransaction()
    {
        if (_open.Count == 0) return;
        var (producer, first) = _open.ElementAt(_random.Next(_open.Count));
        var isCommit = _random.Next(2) == 0;
        var marker = _script.Append(new EndTransactionMarker(producer, 0, isCommit, 0).Encode(_script.NowMs), _epoch);
        _open.Remove(producer);
        if (!isCommit) _aborted.Add((producer, first, marker.BaseOffset));
    }

    private void Note(AppendResult result, string[] records, long producer)
    {
        for (var i = 0; i < records.Length; i++)
        {
            var at = records[i].IndexOf('=', StringComparison.Ordinal);
            _records.Add(new(result.BaseOffset + i, records[i][..at], records[i][(at + 1)..], producer));
        }
    }

    private Offset Stable => Log.LastStableOffset(Log.FlushedOffset);

    private async Task CompactAsync()
    {
        var committed = Log.LogEndOffset;
        if (_random.Next(4) == 0) committed = _start + _random.NextInt64(committed - _start + 1);
        await _script.CompactAsync(committed);
        await CheckAsync();
    }

    // The power fails after some flush, or the process is killed: nothing comes after it.
    private async Task CrashAmidCompactionAsync()
    {
        Disk.HoldFlushes = true;
        var compaction = Record(_script.CompactAsync());
        for (var flushes = _random.Next(25); flushes > 0 && await IsHeldAsync(compaction); flushes--) Disk.ReleaseFlushes();
        await IsHeldAsync(compaction);
        Disk.HoldFlushes = false;
        if (_random.Next(3) > 0)
        {
            await _script.Harness.ReopenAfterPowerFailureAsync();
            await AfterCrashAsync();
        }
        else
        {
            await _script.Harness.ReopenAfterKillAsync();
            await CheckAsync();
        }
    }

    // Whatever it does goes on until it is done or waits for the disk.
    private async Task<bool> IsHeldAsync(Task work)
    {
        await Task.WhenAny(work, Disk.FlushHeldAsync());
        return !work.IsCompleted;
    }

    private static async Task Record(Task work)
    {
        try
        {
            await work;
        }
        catch (IOException)
        {
            // The disk is another generation's by now.
        }
    }

    private async Task CompactOnFullDiskAsync()
    {
        await Log.FlushAsync(Log.LogEndOffset);
        _flushed = Log.LogEndOffset;
        Disk.CapacityBytes = Disk.List(LogHarness.Directory).Sum(entry => entry.Length) + _random.Next(2000);
        await Record(_script.CompactAsync());
        Disk.CapacityBytes = long.MaxValue;
        if (Log.Failure is not null) await _script.Harness.ReopenAfterKillAsync();
        await CheckAsync();
        Assert.DoesNotContain(Disk.List(LogHarness.Directory), entry => entry.Name.EndsWith(".cleaned", StringComparison.Ordinal));
    }

    private async Task DeleteAsync()
    {
        _start = _start + _random.NextInt64(Offset.Max(Stable, _start) - _start + 1);
        await Log.DeleteBeforeAsync(_start);
        _flushed = Offset.Max(_flushed, Log.FlushedOffset);
    }

    // What was not flushed may be gone, and is numbered anew.
    private async Task AfterCrashAsync()
    {
        Assert.True(Log.LogEndOffset >= _flushed, $"{_flushed} was flushed, the log ends at {Log.LogEndOffset}");
        var end = Log.LogEndOffset;
        _records.RemoveAll(record => record.Offset >= end);
        _aborted.RemoveAll(aborted => aborted.First >= end);
        _open.Clear();
        foreach (var producer in Log.DescribeProducers())
        {
            if (producer.TransactionStart != Offset.None) _open[producer.ProducerId] = producer.TransactionStart;
        }

        _aborted.RemoveAll(aborted => _open.TryGetValue(aborted.Producer, out var open) && open == aborted.First);
        if (_readTo > end) ReadAnew();
        await CheckAsync();
    }

    private async Task CheckAsync()
    {
        Assert.Null(Log.CheckAll());
        Assert.Equal(_start, Log.LogStartOffset);
        var batches = _script.Batches(_start);
        Assert.Equal(Log.LogEndOffset, batches.Count == 0 ? _start : batches[^1].Header.NextOffset);
        var byOffset = _records.ToDictionary(record => record.Offset);
        var there = new HashSet<Offset>();
        foreach (var (header, bytes) in batches.Where(batch => !batch.Header.IsControl))
        {
            foreach (var text in CompactionScript.Records(header, bytes.AsSpan(RecordBatchHeader.Size)))
            {
                var offset = new Offset(long.Parse(text.Split(':')[0], CultureInfo.InvariantCulture));
                Assert.Equal($"{offset}:{byOffset[offset].Key}={byOffset[offset].Value}", text);
                there.Add(offset);
            }
        }

        CheckKeys(there);
        CheckTransactions(batches);
        await Task.CompletedTask;
    }

    private void CheckKeys(HashSet<Offset> there)
    {
        var stable = Stable;
        foreach (var key in Counting(stable).Where(record => record.Offset >= _start).GroupBy(record => record.Key))
        {
            var last = key.MaxBy(record => record.Offset)!;
            // A tombstone may be gone, and everything before it with it.
            if (last.Value.Length > 0) Assert.True(there.Contains(last.Offset), $"{last} is gone below {stable}; there is {_script.Shape()}");
            else if (!there.Contains(last.Offset)) Assert.DoesNotContain(key, record => there.Contains(record.Offset));
        }

        // What is not stable is as it was.
        foreach (var record in _records.Where(record => record.Offset >= stable && record.Offset >= _start)) Assert.Contains(record.Offset, there);
    }

    private IEnumerable<Appended> Counting(Offset stable) => _records.Where(record => record.Offset < stable && !IsAborted(record));

    private bool IsAborted(Appended record) =>
        _aborted.Exists(aborted => aborted.Producer == record.Producer && aborted.First <= record.Offset && record.Offset < aborted.Marker);

    // Whoever reads committed records only, by what the log says of aborted ones, sees exactly those that count.
    private void CheckTransactions(List<(RecordBatchHeader Header, byte[] Bytes)> batches)
    {
        var stable = Stable;
        var told = Log.AbortedTransactions(_start, Log.LogEndOffset).OrderBy(aborted => aborted.First).ToList();
        var active = new HashSet<long>();
        foreach (var (header, bytes) in batches.Where(batch => batch.Header.NextOffset <= stable))
        {
            foreach (var begun in told.Where(aborted => aborted.First <= header.LastOffset).ToList())
            {
                active.Add(begun.ProducerId);
                told.Remove(begun);
            }

            if (header.IsControl)
            {
                active.Remove(header.ProducerId);
                continue;
            }

            var isLeftOut = header.IsTransactional && active.Contains(header.ProducerId);
            foreach (var text in CompactionScript.Records(header, bytes.AsSpan(RecordBatchHeader.Size)))
            {
                var offset = new Offset(long.Parse(text.Split(':')[0], CultureInfo.InvariantCulture));
                if (offset >= _start) Assert.Equal(IsAborted(_records.Find(record => record.Offset == offset)!), isLeftOut);
            }
        }
    }

    private void ReadAnew()
    {
        _read.Clear();
        _readTo = _start;
        _readSinceMs = _script.NowMs;
    }

    // A reader of everything from the start who is not slower than tombstones stay ends up with the last values alone.
    private void ReadOn()
    {
        if (_readTo < _start || _script.NowMs - _readSinceMs >= (Log.Options.Compaction!.DeleteRetentionMs)) ReadAnew();
        var isWhole = _random.Next(2) == 0;
        while (_readTo < Stable)
        {
            var read = Log.Read(_readTo, 200, Stable, skipsEmpty: true);
            var bytes = LogHarness.Bytes(read);
            if (bytes.Length == 0) return;
            foreach (var batch in new RecordBatchEnumerator(bytes))
            {
                if (!batch.Header.IsControl && batch.Header.NextOffset > _readTo) TakeAll(batch);
                _readTo = batch.Header.NextOffset;
            }

            if (!isWhole) return;
        }

        if (_readTo != Stable) return;
        var last = Counting(Stable).Where(record => record.Offset >= _start).GroupBy(record => record.Key).ToDictionary(key => key.Key, key => key.MaxBy(record => record.Offset)!.Value);
        foreach (var (key, value) in last) Assert.Equal(value, _read.GetValueOrDefault(key, ""));
    }

    private void TakeAll(RecordBatchView batch)
    {
        foreach (var text in CompactionScript.Records(batch.Header, batch.Records))
        {
            var record = _records.Find(record => record.Offset.Value == long.Parse(text.Split(':')[0], CultureInfo.InvariantCulture))!;
            if (record.Offset >= _readTo && !IsAborted(record)) _read[record.Key] = record.Value;
        }
    }
}
