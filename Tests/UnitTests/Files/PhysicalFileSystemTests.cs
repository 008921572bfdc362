using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Broker.Files;
using OrleansLog.Protocol;
using OrleansLog.Storage;
using OrleansLog.UnitTests.Storage;

namespace OrleansLog.UnitTests.Files;

public sealed class PhysicalFileSystemTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("orleanslog-").FullName;
    private readonly PhysicalFileSystem _files = new(openFilesMax: 3);

    public void Dispose()
    {
        _files.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_log_on_the_disk_is_there_after_a_restart()
    {
        var options = new LogOptions { SegmentBytes = 2000, IndexIntervalBytes = 200 };
        var written = new List<byte>();
        await using (var log = await OpenAsync("orders-0", options))
        {
            for (var i = 0; i < 100; i++)
            {
                var batch = TestBatches.At(i);
                var result = log.Append(batch, LeaderEpoch.Zero);
                await log.SettleAsync(result.NextOffset);
                written.AddRange(batch);
            }

            Assert.Equal(new Offset(100), log.FlushedOffset);
        }

        await using var reopened = await OpenAsync("orders-0", options);
        Assert.Equal(written, ReadAll(reopened));
        Assert.Equal(new TimestampedOffset(new Offset(42), 42), reopened.FindByTimestamp(42));
        await reopened.DeleteBeforeAsync(new Offset(50));
        await reopened.TruncateToAsync(new Offset(60));
        Assert.Equal(new Offset(60), reopened.LogEndOffset);
    }

    [Fact]
    public async Task More_logs_than_open_files_are_served()
    {
        var logs = new PartitionLog[10];
        for (var i = 0; i < logs.Length; i++) logs[i] = await OpenAsync($"t-{i}", new LogOptions());
        for (var round = 0; round < 3; round++)
        {
            foreach (var log in logs)
            {
                log.Append(TestBatches.At(round), LeaderEpoch.Zero);
                await log.FlushAsync(log.LogEndOffset);
                Assert.NotEmpty(ReadAll(log));
            }
        }

        Assert.True(_files.OpenFileCount <= 5, $"{_files.OpenFileCount} files are open");
        foreach (var log in logs) await log.DisposeAsync();
        Assert.Equal(0, _files.OpenFileCount);
    }

    [Fact]
    public async Task A_leased_file_outlives_its_deletion()
    {
        var path = Path.Combine(_directory, "a");
        var file = (PhysicalLogFile)_files.Open(path, create: true);
        file.Write(0, [1, 2, 3]);
        await file.FlushAsync();
        using var lease = file.Lease();
        _files.Delete(path);
        file.Dispose();
        var bytes = new byte[5];
        Assert.Equal(3, RandomAccess.Read(lease.Handle, bytes, 0));
        Assert.Throws<ObjectDisposedException>(() => file.Read(0, bytes));
    }

    [Fact]
    public async Task What_was_found_stays_readable_though_its_segment_is_deleted_and_many_files_are_opened()
    {
        await using var log = await OpenAsync("orders-0", new LogOptions { SegmentBytes = 200 });
        for (var i = 0; i < 10; i++) log.Append(TestBatches.At(i), LeaderEpoch.Zero);
        var read = log.Read(Offset.Zero, 1000, log.LogEndOffset);
        var before = LogHarness.Bytes(read);
        await log.DeleteBeforeAsync(new Offset(9));
        for (var i = 0; i < 10; i++) _files.Open(Path.Combine(_directory, $"f-{i}"), create: true);
        Assert.Equal(before, LogHarness.Bytes(read));
    }

    [Fact]
    public void A_second_owner_is_told_who_the_first_is()
    {
        using (_files.Lock(_directory, "broker 1, process 42 on example"))
        {
            var error = Assert.Throws<DirectoryInUseException>(() => _files.Lock(_directory, "another"));
            Assert.Contains("process 42 on example", error.Message, StringComparison.Ordinal);
            Assert.Contains(_directory, error.Message, StringComparison.Ordinal);
        }

        _files.Lock(_directory, "another").Dispose();
    }

    [Fact]
    public void A_lock_file_that_a_dead_owner_left_is_no_obstacle()
    {
        var path = Path.Combine(_directory, ".lock");
        File.WriteAllText(path, "a process that died, with a rather long story");
        _files.Lock(_directory, "me").Dispose();
        Assert.Equal("me", File.ReadAllText(path));
    }

    [Fact]
    public async Task Files_are_listed_renamed_and_deleted()
    {
        var from = Path.Combine(_directory, "a");
        var to = Path.Combine(_directory, "b");
        foreach (var path in (string[])[from, to])
        {
            using var file = _files.Open(path, create: true);
            file.Write(0, new byte[path.Length]);
            file.Truncate(path == from ? 7 : 9);
        }

        _files.Rename(from, to);
        Assert.True(_files.CreateDirectory(Path.Combine(_directory, "c")));
        Assert.False(_files.CreateDirectory(Path.Combine(_directory, "c")));
        await _files.FlushDirectoryAsync(_directory);
        Assert.Equal(
            [new LogFileEntry("b", 7), new LogFileEntry("c", 0, IsDirectory: true)],
            _files.List(_directory).OrderBy(entry => entry.Name));
        _files.Delete(to);
        _files.Delete(to);
        _files.DeleteDirectory(Path.Combine(_directory, "c"));
        _files.DeleteDirectory(Path.Combine(_directory, "c"));
        Assert.Empty(_files.List(_directory));
        Assert.Empty(_files.List(Path.Combine(_directory, "missing")));
    }

    [Fact]
    public async Task A_directory_that_is_gone_cannot_be_flushed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no flush of directories");
        var missing = Path.Combine(_directory, "missing");
        var error = await Assert.ThrowsAsync<IOException>(() => _files.FlushDirectoryAsync(missing).AsTask());
        Assert.Contains(missing, error.Message, StringComparison.Ordinal);
    }

    private ValueTask<PartitionLog> OpenAsync(string name, LogOptions options) => PartitionLog.OpenAsync(
        _files, Path.Combine(_directory, name), options, TimeProvider.System, NullLogger.Instance);

    private static List<byte> ReadAll(PartitionLog log)
    {
        var all = new List<byte>();
        for (var from = log.LogStartOffset; from < log.LogEndOffset;)
        {
            var bytes = LogHarness.Bytes(log.Read(from, 500, log.LogEndOffset));
            from = LogHarness.NextOffset(bytes);
            all.AddRange(bytes);
        }

        return all;
    }
}
