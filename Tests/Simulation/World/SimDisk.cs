using System.Buffers.Binary;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Simulation.Running;
using OrleansLog.Storage;

namespace OrleansLog.Simulation.World;

/// <summary>
/// The disk of one machine, which outlives its processes. Names become durable when their directory is flushed; a crash
/// keeps a prefix of the changes since then, as a journaling file system does.
/// </summary>
public sealed class SimDisk(SimScheduler scheduler, SimRandom random) : ILogFileSystem
{
    // Less than a batch: whole batches at a wrong place of the same log can hide what lies between.
    private const int MisdirectedBytesMax = 90;

    private readonly SortedDictionary<string, SimFile> _names = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, SimFile> _durableNames = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _directories = new(StringComparer.Ordinal);
    private readonly List<(string Directory, Action<SortedDictionary<string, SimFile>> Apply)> _pending = [];

    public DiskFaults Faults { get; set; } = new();

    /// <summary>Told the path of a file whose flush failed.</summary>
    public Action<string>? FlushFailed { get; set; }

    /// <summary>The power fails.</summary>
    public void Crash()
    {
        var kept = random.Below(_pending.Count + 1);
        foreach (var (_, apply) in _pending.Take(kept)) apply(_durableNames);
        _pending.Clear();
        _names.Clear();
        foreach (var (path, file) in _durableNames) _names[path] = file;
        foreach (var file in _names.Values) file.Crash(random);
    }

    /// <summary>Another, empty disk.</summary>
    public void Wipe()
    {
        _names.Clear();
        _durableNames.Clear();
        _directories.Clear();
        _pending.Clear();
    }

    /// <summary>
    /// Flips bits somewhere in the first half of the log files under a directory. Returns how many. The leader epoch of a
    /// batch is spared: it lies outside the format's checksum, so that nobody could notice.
    /// </summary>
    public int FlipBits(string under, int count)
    {
        var logs = _names.Where(name => name.Key.StartsWith(under, StringComparison.Ordinal)
            && name.Key.EndsWith(".log", StringComparison.Ordinal) && name.Value.Length > 200).ToList();
        if (logs.Count == 0) return 0;
        for (var i = 0; i < count; i++)
        {
            var file = random.Pick(logs).Value;
            var position = random.Below(file.Length / 2);
            if (!IsLeaderEpoch(file.Bytes, position)) file.FlipBit(position, random.Below(8));
        }

        return count;
    }

    /// <summary>
    /// Bytes that were meant for one place of the files under a directory have come to stand at another. What makes one batch
    /// out of another is spared: the format's checksum covers no offset, so that nobody could notice.
    /// </summary>
    public void Misdirect(string under)
    {
        var files = _names.Where(name => name.Key.StartsWith(under, StringComparison.Ordinal) && name.Value.Length > 200
            && (name.Key.EndsWith(".log", StringComparison.Ordinal) || name.Key.EndsWith("index", StringComparison.Ordinal))).Select(name => name.Value).ToList();
        if (files.Count == 0) return;
        var (from, to) = (random.Pick(files), random.Pick(files));
        var length = 1 + random.Below(Math.Min(MisdirectedBytesMax, Math.Min(from.Length, to.Length)));
        var position = random.Below(to.Length - length + 1);
        var bytes = from.Bytes.Slice(random.Below(from.Length - length + 1), length).ToArray();
        if (!ReplacesBatch(to.Bytes, position, bytes)) to.Overwrite(position, bytes);
    }

    // Whether a batch keeps its offset and becomes another whole one.
    private static bool ReplacesBatch(ReadOnlySpan<byte> before, int position, ReadOnlySpan<byte> bytes)
    {
        var after = before.ToArray();
        bytes.CopyTo(after.AsSpan(position));
        for (var at = 0; at < position + bytes.Length; at++)
        {
            if (RecordBatchHeader.TryRead(after.AsSpan(at), out var header) != ErrorCode.None || header.SizeInBytes > after.Length - at) continue;
            if (before.Slice(at, header.SizeInBytes).SequenceEqual(after.AsSpan(at, header.SizeInBytes))) continue;
            if (BinaryPrimitives.ReadInt64BigEndian(before[at..]) == header.BaseOffset.Value
                && RecordBatch.CheckIntegrity(after.AsSpan(at, header.SizeInBytes)) == ErrorCode.None) return true;
        }

        return false;
    }

    /// <summary>A log file under a directory has lost its end.</summary>
    public void CutFile(string under)
    {
        var logs = _names.Where(name => name.Key.StartsWith(under, StringComparison.Ordinal)
            && name.Key.EndsWith(".log", StringComparison.Ordinal) && name.Value.Length > 0).Select(name => name.Value).ToList();
        if (logs.Count > 0 && random.Pick(logs) is var file) file.Cut(random.Below(file.Length));
    }

    /// <summary>Removes a directory with all in it, for good.</summary>
    public void Remove(string directory)
    {
        var prefix = directory + "/";
        _pending.RemoveAll(change => change.Directory == directory);
        foreach (var names in (SortedDictionary<string, SimFile>[])[_names, _durableNames])
            foreach (var path in names.Keys.Where(path => path.StartsWith(prefix, StringComparison.Ordinal)).ToList()) names.Remove(path);
        _directories.Remove(directory);
    }

    // Or may be: what lies behind earlier damage cannot be told.
    private static bool IsLeaderEpoch(ReadOnlySpan<byte> bytes, int position)
    {
        const int EpochAt = 12, EpochEnd = 16;
        for (var at = 0; at <= position;)
        {
            if (RecordBatchHeader.TryRead(bytes[at..], out var header) != ErrorCode.None || header.SizeInBytes > bytes.Length - at) return true;
            if (position < at + header.SizeInBytes) return position - at is >= EpochAt and < EpochEnd;
            at += header.SizeInBytes;
        }

        return true;
    }

    /// <summary>The bytes of a file as programs see them, and a way to cut them: for planted bugs.</summary>
    internal IEnumerable<(string Path, SimFile File)> FilesUnder(string directory) =>
        _names.Where(name => name.Key.StartsWith(directory, StringComparison.Ordinal)).Select(name => (name.Key, name.Value)).ToList();

    public ILogFile Open(string path, bool create)
    {
        if (!_names.TryGetValue(path, out var file))
        {
            if (!create) throw new FileNotFoundException($"There is no file {path}.");
            file = new SimFile();
            Change(path, names => names[path] = file);
        }

        return new Handle(this, path, file);
    }

    public IReadOnlyList<LogFileEntry> List(string directory)
    {
        var prefix = directory + "/";
        var files = _names.Where(name => name.Key.StartsWith(prefix, StringComparison.Ordinal) && !name.Key.AsSpan(prefix.Length).Contains('/'))
            .Select(name => new LogFileEntry(name.Key[prefix.Length..], name.Value.Length));
        var directories = _directories.Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && !name.AsSpan(prefix.Length).Contains('/'))
            .Select(name => new LogFileEntry(name[prefix.Length..], 0, IsDirectory: true));
        return [.. files, .. directories];
    }

    public bool CreateDirectory(string directory) => _directories.Add(directory);

    public void Delete(string path)
    {
        if (_names.ContainsKey(path)) Change(path, names => names.Remove(path));
    }

    public void DeleteDirectory(string directory)
    {
        foreach (var path in _names.Keys.Where(path => path.StartsWith(directory + "/", StringComparison.Ordinal)).ToList()) Delete(path);
        _directories.Remove(directory);
    }

    public void Rename(string from, string to)
    {
        var file = _names.TryGetValue(from, out var found) ? found : throw new FileNotFoundException($"There is no file {from}.");
        Change(to, names =>
        {
            names.Remove(from);
            names[to] = file;
        });
    }

    public ValueTask FlushDirectoryAsync(string directory)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var changes = _pending.Where(change => change.Directory == directory).ToList();
        scheduler.After(FlushUs(), () =>
        {
            foreach (var change in changes.Where(_pending.Remove)) change.Apply(_durableNames);
            done.SetResult();
        });
        return new(done.Task);
    }

    public IDisposable Lock(string directory, string owner) => new Unlocked();

    private void Change(string path, Action<SortedDictionary<string, SimFile>> apply)
    {
        apply(_names);
        _pending.Add((path[..path.LastIndexOf('/')], apply));
    }

    private long FlushUs() => random.Between(Faults.FlushUs.Min, Faults.FlushUs.Max);

    private ValueTask FlushAsync(string path, SimFile file)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var flush = file.BeginFlush();
        var fails = random.Chance(Faults.FlushFails);
        scheduler.After(FlushUs(), () =>
        {
            if (fails)
            {
                file.LoseFlush(flush);
                FlushFailed?.Invoke(path);
                done.SetException(new IOException($"Input/output error on {path}"));
            }
            else
            {
                file.EndFlush(flush);
                done.SetResult();
            }
        });
        return new(done.Task);
    }

    private Span<byte> Shorten(Span<byte> destination) =>
        destination.Length > 1 && Faults.ShortReads > 0 && random.Chance(Faults.ShortReads) ? destination[..(1 + random.Below(destination.Length - 1))] : destination;

    private void Write(string path, SimFile file, long position, ReadOnlySpan<byte> source)
    {
        if (!random.Chance(Faults.WriteFails))
        {
            file.Write((int)position, source);
            return;
        }

        file.Write((int)position, source[..random.Below(source.Length + 1)]);
        throw new IOException($"No space left on device for {path}");
    }

    private sealed class Unlocked : IDisposable
    {
        public void Dispose()
        {
        }
    }

    private sealed class Handle(SimDisk disk, string path, SimFile file) : ILogFile
    {
        public string Path => path;

        public long Length => file.Length;

        public int Read(long position, Span<byte> destination) => file.Read(position, disk.Shorten(destination));

        public void Write(long position, ReadOnlySpan<byte> source) => disk.Write(path, file, position, source);

        public void Truncate(long length) => file.Truncate((int)length);

        public ValueTask FlushAsync() => disk.FlushAsync(path, file);

        public void Dispose()
        {
        }
    }
}
