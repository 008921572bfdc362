using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Storage;

/// <summary>One log over a faulty disk, and the words that scenarios use.</summary>
internal sealed class LogHarness(int seed = 0)
{
    public const string Directory = "/data/orders-0";

    public FaultyFileSystem Disk { get; } = new(seed);

    public ManualClock Clock { get; } = new();

    public RecordingLogger Logger { get; } = new();

    /// <summary>Small enough that a few records roll segments and fill indexes.</summary>
    public LogOptions Options { get; set; } = new() { IndexIntervalBytes = 100 };

    public PartitionLog Log { get; private set; } = null!;

    public async Task<LogHarness> OpenAsync()
    {
        Log = await PartitionLog.OpenAsync(Disk, Directory, Options, Clock, Logger);
        return this;
    }

    public async Task ReopenAfterKillAsync()
    {
        Disk.KillProcess();
        await OpenAsync();
    }

    public async Task ReopenAfterPowerFailureAsync()
    {
        Disk.Crash();
        await OpenAsync();
    }

    public async Task ReopenAsync()
    {
        await Log.DisposeAsync();
        await OpenAsync();
    }

    public AppendResult Append(byte[] batches, int epoch = 0) => Log.Append(batches, new LeaderEpoch(epoch));

    /// <summary>Appends so many batches of one small record each.</summary>
    public void Append(int batches, int epoch = 0)
    {
        for (var i = 0; i < batches; i++) Append(TestBatches.Of(1000 + i, [(byte)i, 7, 7]), epoch);
    }

    public Task FlushAsync() => Log.FlushAsync(Log.LogEndOffset).AsTask();

    /// <summary>Reads everything from an offset to the end, in bites; checks each.</summary>
    public byte[] ReadAll(Offset from, int maxBytes = 300)
    {
        using var all = new MemoryStream();
        while (from < Log.LogEndOffset)
        {
            var read = Log.Read(from, maxBytes, Log.LogEndOffset);
            Assert.Equal(ErrorCode.None, read.Error);
            var bytes = Bytes(read);
            Assert.NotEmpty(bytes);
            from = NextOffset(bytes);
            all.Write(bytes);
        }

        return all.ToArray();
    }

    public static byte[] Bytes(LogRead read)
    {
        var bytes = new byte[read.Slice.Length];
        Assert.Equal(bytes.Length, read.Slice.Read(bytes));
        return bytes;
    }

    /// <summary>The offset after the last of these batches, each of which must be whole and sound.</summary>
    public static Offset NextOffset(ReadOnlySpan<byte> batches)
    {
        var next = Offset.None;
        while (!batches.IsEmpty)
        {
            Assert.Equal(ErrorCode.None, RecordBatchHeader.TryRead(batches, out var header));
            Assert.Equal(ErrorCode.None, RecordBatch.CheckIntegrity(batches[..header.SizeInBytes]));
            next = header.NextOffset;
            batches = batches[header.SizeInBytes..];
        }

        return next;
    }

    /// <summary>The files of the log that end so, by name.</summary>
    public string[] Files(string suffix) =>
        [.. Disk.List(Directory).Select(entry => entry.Name).Where(name => name.EndsWith(suffix, StringComparison.Ordinal)).Order()];

    public static string PathOf(string name) => $"{Directory}/{name}";

    public static string SegmentPath(long baseOffset) => PathOf($"{baseOffset:D20}.log");
}
