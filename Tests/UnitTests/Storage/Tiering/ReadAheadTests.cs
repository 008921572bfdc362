using OrleansLog.Protocol;
using OrleansLog.Storage;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.UnitTests.Storage.Tiering;

/// <summary>What is fetched from a remote store for its readers, how much at once, and what is kept of it.</summary>
public sealed class ReadAheadTests
{
    private const int MiB = 1 << 20;
    private const int BatchesInPart = 4;
    private const string CacheDirectory = "/data/remote-cache";

    private readonly LogHarness _harness = new() { Options = new LogOptions { SegmentBytes = 16 * MiB, IndexIntervalBytes = 4096 } };
    private readonly RecordedStore _store;
    private RemoteCache _cache = null!;
    private TieredLog _tiered = null!;

    public ReadAheadTests() => _store = new(new MemoryRemoteStore(_harness.Clock));

    [Fact]
    public async Task A_sequential_reader_is_fetched_for_in_blocks_that_grow_and_each_byte_once()
    {
        await StoreAsync(megabytes: 48, new() { BlockBytesMax = 8 * MiB, AheadBytesMax = 24 * MiB });
        await ReadAllAsync();

        var lengths = _store.Reads.OrderBy(read => read.Name).ThenBy(read => read.Position).Select(read => read.Length).ToList();
        Assert.Equal(_tiered.Manifest!.SizeInBytes, lengths.Sum());
        Assert.InRange(lengths[0], 1, 2 * MiB);
        Assert.InRange(lengths.Max(), 6 * MiB, 8 * MiB);
        Assert.InRange(lengths.Count, 6, 16);
    }

    [Fact]
    public async Task Who_reads_here_and_there_has_little_more_fetched_than_it_reads()
    {
        await StoreAsync(megabytes: 48, new());
        foreach (var megabyte in new[] { 40, 3, 21 }) await ReadAsync(_tiered, new Offset(megabyte * BatchesInPart));
        Assert.InRange(_store.Reads.Sum(read => read.Length), 3, 3 * 4 * MiB);
    }

    [Fact]
    public async Task All_that_is_fetched_fits_into_the_memory_that_there_is()
    {
        await StoreAsync(megabytes: 48, new() { MemoryBytesMax = 6 * MiB });
        // Readers at four places, in turn.
        var places = new[] { 0, 10, 20, 30 }.Select(megabyte => new Offset(megabyte * BatchesInPart)).ToArray();
        for (var turn = 0; turn < 12; turn++)
        {
            for (var reader = 0; reader < places.Length; reader++) places[reader] = await ReadAsync(_tiered, places[reader]);
            Assert.InRange(_cache.BytesInMemory, 0, 6 * MiB);
        }

        // Something may still be on its way that was fetched ahead.
        Forget();
        for (var patience = 100_000; _cache.BytesInMemory > 0 && patience > 0; patience--)
        {
            await Task.Yield();
            Forget();
        }

        Assert.Equal(0, _cache.BytesInMemory);
    }

    [Fact]
    public async Task Damage_in_what_was_fetched_ahead_is_told_to_who_reads_it_and_to_nobody_before()
    {
        await StoreAsync(megabytes: 15, new());
        var segment = _tiered.Manifest!.Segments[0];
        var damaged = new Offset(9 * BatchesInPart);
        _store.Inner.Alter(segment.Name, bytes => bytes[(int)(damaged.Value * (segment.SizeInBytes / (segment.NextOffset - segment.BaseOffset))) + 5000] ^= 1);

        var next = Offset.Zero;
        while (await TryReadAsync(_tiered, next) is { Error: ErrorCode.None } read) next = LogHarness.NextOffset(LogHarness.Bytes(read));
        Assert.Equal(damaged, next);
        Assert.Equal(ErrorCode.CorruptMessage, (await TryReadAsync(_tiered, damaged)).Error);
    }

    [Fact]
    public async Task What_is_fetched_a_second_time_is_kept_on_the_disk_for_the_third()
    {
        await StoreAsync(megabytes: 15, new());
        Assert.Empty(_harness.Disk.List(CacheDirectory));
        var first = await ReadAllAsync();
        Assert.Empty(_harness.Disk.List(CacheDirectory));

        // One file is written at a time, beside the reading: what is skipped comes with a later pass.
        var (reads, passes) = (-1, 0);
        while (_store.Count != reads)
        {
            Assert.InRange(++passes, 1, 1000);
            reads = _store.Count;
            Forget();
            Assert.Equal(first, await ReadAllAsync());
            await Task.Yield();
        }

        Assert.NotEmpty(_harness.Disk.List(CacheDirectory));
    }

    private void Forget()
    {
        _harness.Clock.Advance(TimeSpan.FromMinutes(1));
        _cache.DropForgotten();
    }

    private async Task StoreAsync(int megabytes, RemoteReadOptions options)
    {
        await _harness.OpenAsync();
        var random = new Random(1);
        for (var i = 0; i < (megabytes + 2) * BatchesInPart; i++) _harness.Append(TestBatches.Random(random, MiB / BatchesInPart));
        _cache = new RemoteCache(_store, _harness.Disk, CacheDirectory, options, _harness.Clock, _harness.Logger);
        _cache.Begin();
        _tiered = new TieredLog(_cache, _harness.Log, "topic/0/", new LeaderEpoch(1), () => _harness.Log.LogEndOffset, Guid.NewGuid, _harness.Clock, _harness.Logger);
        await _tiered.StepAsync(default);
        _store.Forget();
    }

    private async Task<byte[]> ReadAllAsync()
    {
        using var all = new MemoryStream();
        for (var next = Offset.Zero; next < _tiered.TieredEnd;)
        {
            var bytes = LogHarness.Bytes(await TryReadAsync(_tiered, next));
            all.Write(bytes);
            next = LogHarness.NextOffset(bytes);
        }

        return all.ToArray();
    }

    private static async Task<Offset> ReadAsync(TieredLog tiered, Offset from)
    {
        var read = await TryReadAsync(tiered, from);
        Assert.Equal(ErrorCode.None, read.Error);
        return LogHarness.NextOffset(LogHarness.Bytes(read));
    }

    private static async Task<LogRead> TryReadAsync(TieredLog tiered, Offset from)
    {
        while (true)
        {
            var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            tiered.Arrived = () => arrived.TrySetResult();
            var read = tiered.Read(from, MiB, minOneBatch: true);
            if (read.Error != ErrorCode.None || !read.Slice.IsEmpty) return read;
            await arrived.Task;
        }
    }

    /// <summary>A store that remembers what was read of segments.</summary>
    private sealed class RecordedStore(MemoryRemoteStore inner) : IRemoteStore
    {
        private readonly List<(string Name, long Position, int Length)> _reads = [];

        public MemoryRemoteStore Inner => inner;

        public IReadOnlyList<(string Name, long Position, int Length)> Reads
        {
            get
            {
                lock (_reads) return [.. _reads];
            }
        }

        public int Count => Reads.Count;

        public void Forget()
        {
            lock (_reads) _reads.Clear();
        }

        public Task WriteAsync(string name, Stream content, CancellationToken cancellationToken) => inner.WriteAsync(name, content, cancellationToken);

        public Task<int> ReadAsync(string name, long position, Memory<byte> destination, CancellationToken cancellationToken)
        {
            lock (_reads) _reads.Add((name, position, destination.Length));
            return inner.ReadAsync(name, position, destination, cancellationToken);
        }

        public Task<RemoteDocument?> ReadDocumentAsync(string name, CancellationToken cancellationToken) => inner.ReadDocumentAsync(name, cancellationToken);

        public Task<string?> WriteDocumentAsync(string name, ReadOnlyMemory<byte> content, string? expectedTag, CancellationToken cancellationToken) =>
            inner.WriteDocumentAsync(name, content, expectedTag, cancellationToken);

        public Task DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

        public IAsyncEnumerable<RemoteObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);
    }
}
