using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Benchmarks.Measuring;
using OrleansLog.Broker.Files;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage;
using OrleansLog.Storage.Compaction;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>
/// The log of one partition, every key of which was written twice, is compacted, between two sequential copies of the same
/// files: what the disk can do at best, for a copy reads once and writes once what compaction has to read twice.
/// </summary>
internal static class Compaction
{
    private const int BatchBytes = 64 << 10;
    private const int CopyBytes = 1 << 20;
    private const int KeyBytes = 12;
    private const int Versions = 2;

    public static void Run(BenchmarkOptions options) => RunAsync(options).GetAwaiter().GetResult();

    private static async Task RunAsync(BenchmarkOptions options)
    {
        using var files = new PhysicalFileSystem();
        var directory = Path.Combine(options.DataDirectory, "compacted");
        var keys = (long)(options.Gigabytes / 10 * 50_000_000);
        var log = await PartitionLog.OpenAsync(
            files, directory, new() { FlushMessages = long.MaxValue, Compaction = new() }, TimeProvider.System, NullLogger.Instance);
        Write(log, keys, (long)(options.Gigabytes * 1e9));
        await log.CheckpointAsync();
        var bytes = log.Segments.Where(segment => segment.IsSealed).Sum(segment => (long)segment.SizeInBytes);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB, {keys:N0} keys, {Versions * keys:N0} records, {options.KeyMegabytes} MB for keys"));

        var copy = Path.Combine(options.DataDirectory, "copy");
        var copies = new List<double> { Copy(directory, copy, bytes) };
        ResetPeakMemory();
        var cpu = Environment.CpuUsage;
        var started = Stopwatch.GetTimestamp();
        var passes = await CompactAsync(log, options.KeyMegabytes);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var (user, kernel) = ((Environment.CpuUsage.UserTime - cpu.UserTime).TotalSeconds, (Environment.CpuUsage.PrivilegedTime - cpu.PrivilegedTime).TotalSeconds);
        var memory = PeakMemory();
        var after = log.Segments.Where(segment => segment.IsSealed).Sum(segment => (long)segment.SizeInBytes);
        Check(log, keys);
        await log.DisposeAsync();
        // The same bytes once more, in case the machine was busier before.
        copies.Add(Copy(copy, Path.Combine(options.DataDirectory, "copy again"), bytes));

        var copied = copies.Average();
        var table = new Table("compaction beside a sequential copy", "MB/s");
        table.Add("copy before", Text.Fixed(copies[0] / 1e6, 0));
        table.Add("copy after", Text.Fixed(copies[1] / 1e6, 0));
        table.Add($"compaction, {passes} passes", Text.Fixed(bytes / seconds / 1e6, 0));
        table.Print(Console.Out);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"ratio {bytes / seconds / copied:0.00}; {bytes / 1e9:0.00} GB became {after / 1e9:0.00} GB in {seconds:0.0} s, with {user:0.0} s of CPU time and {kernel:0.0} s of the kernel's; peak memory {memory >> 20} MiB"));
    }

    private static void Write(PartitionLog log, long keys, long bytes)
    {
        var random = new Random(1);
        // What a record takes beside key and value.
        var value = new byte[Math.Max(8, bytes / (keys * Versions) - KeyBytes - 12)];
        var key = new byte[KeyBytes];
        using var builder = new RecordBatchBuilder(BatchBytes);
        for (long number = 0; number < keys * Versions; number++)
        {
            var id = number < keys ? number : (number - keys) * 48_271 % keys;
            BinaryPrimitives.WriteInt64LittleEndian(key, id);
            random.NextBytes(value.AsSpan(0, 8));
            BinaryPrimitives.WriteInt64LittleEndian(value, number);
            if (builder.TryAppend(1_000_000 + number, key, false, value, false, [])) continue;
            Append(log, builder);
            builder.TryAppend(1_000_000 + number, key, false, value, false, []);
        }

        Append(log, builder);
        log.Roll();
        builder.TryAppend(2_000_000_000, "last"u8, false, value, false, []);
        Append(log, builder);
    }

    private static void Append(PartitionLog log, RecordBatchBuilder builder)
    {
        log.Append(builder.Build().ToArray(), LeaderEpoch.Zero);
        builder.Reset();
    }

    private static async Task<int> CompactAsync(PartitionLog log, int keyMegabytes)
    {
        var tools = new CompactionTools { KeyBytesMax = (long)keyMegabytes << 20, HashSeed = (1, 2) };
        for (var passes = 1; ; passes++)
            if (await log.CompactAsync(log.LogEndOffset, tools) is not { IsWhole: false }) return passes;
    }

    // The last version of every key and nothing else.
    private static void Check(PartitionLog log, long keys)
    {
        long count = 0;
        var next = Offset.Zero;
        var bytes = new byte[4 << 20];
        while (next < log.LogEndOffset)
        {
            var slice = log.Read(next, bytes.Length, log.LogEndOffset).Slice;
            var length = slice.Read(bytes);
            foreach (var batch in new RecordBatchEnumerator(bytes.AsSpan(0, length)))
            {
                if (batch.Header.BaseOffset < new Offset(keys) && batch.Header.NextOffset <= new Offset(keys) && batch.Header.RecordCount > 0)
                    throw new InvalidOperationException($"records of the first version are left at {batch.Header.BaseOffset}");
                count += batch.Header.RecordCount;
                next = batch.Header.NextOffset;
            }
        }

        if (count != keys + 1) throw new InvalidOperationException($"{count} records are left of {keys} keys");
    }

    private static double Copy(string from, string to, long bytes)
    {
        Directory.CreateDirectory(to);
        var started = Stopwatch.GetTimestamp();
        var block = new byte[CopyBytes];
        foreach (var path in Directory.GetFiles(from, "*.log").Order())
        {
            using var source = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var target = File.OpenHandle(Path.Combine(to, Path.GetFileName(path)), FileMode.Create, FileAccess.Write);
            for (long at = 0; RandomAccess.Read(source, block, at) is > 0 and var read; at += read) RandomAccess.Write(target, block.AsSpan(0, read), at);
            RandomAccess.FlushToDisk(target);
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return bytes / seconds;
    }

    // Linux: the high-water mark of what the process has in memory.
    private static void ResetPeakMemory()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        File.WriteAllText("/proc/self/clear_refs", "5");
    }

    private static long PeakMemory()
    {
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}
