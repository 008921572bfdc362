using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Support;

/// <summary>
/// A disk in memory that forgets, tears, fills up and fails as its seed says. What a crash leaves of a file is, for each
/// 4 KiB page written since the last flush, the new bytes, the old ones, or new sectors before old ones; of a
/// directory, the durable names and a prefix of the changes since. Any thread; repeatable from one.
/// </summary>
public sealed class FaultyFileSystem(int seed) : ILogFileSystem
{
    private readonly Lock _gate = new();
    private readonly Random _random = new(seed);
    private readonly Dictionary<string, FaultyFile> _names = [];
    private readonly Dictionary<string, FaultyFile> _durableNames = [];
    private readonly List<(string Directory, Action<Dictionary<string, FaultyFile>> Apply)> _pendingNames = [];
    private readonly HashSet<string> _directories = [];
    private TaskCompletionSource _heldSignal = new();
    private long _bytesRead;
    private readonly Dictionary<string, string> _owners = [];
    private readonly List<(Action Apply, TaskCompletionSource Done)> _heldFlushes = [];

    /// <summary>Bytes that all files together may hold.</summary>
    public long CapacityBytes { get; set; } = long.MaxValue;

    /// <summary>The most bytes that one read returns.</summary>
    public int ReadBytesMax { get; set; } = int.MaxValue;

    public bool FailFlushes { get; set; }

    public bool FailReads { get; set; }

    /// <summary>Whether flushes wait for <see cref="ReleaseFlushes"/>.</summary>
    public bool HoldFlushes { get; set; }

    public int FlushCount { get; private set; }

    public long BytesRead => Volatile.Read(ref _bytesRead);

    /// <summary>Counts crashes; a file opened before the last one is of no use any more.</summary>
    internal int Generation { get; private set; }

    public long UsedBytes => _names.Values.Sum(file => file.Current.LongLength);

    public ILogFile Open(string path, bool create)
    {
        lock (_gate) return OpenInTurn(path, create);
    }

    private Handle OpenInTurn(string path, bool create)
    {
        if (!_names.TryGetValue(path, out var file))
        {
            if (!create) throw new FileNotFoundException("There is no such file", path);
            if (!_directories.Contains(Path.GetDirectoryName(path)!)) throw new DirectoryNotFoundException(path);
            file = new FaultyFile();
            Change(path, names => names[path] = file);
        }

        return new Handle(this, path, file);
    }

    public IReadOnlyList<LogFileEntry> List(string directory)
    {
        lock (_gate)
            return [.. _names.Where(name => Path.GetDirectoryName(name.Key) == directory)
                .Select(name => new LogFileEntry(Path.GetFileName(name.Key), name.Value.Current.Length))];
    }

    public bool CreateDirectory(string directory)
    {
        lock (_gate) return _directories.Add(directory);
    }

    public void Delete(string path)
    {
        lock (_gate)
            if (_names.ContainsKey(path)) Change(path, names => names.Remove(path));
    }

    public void DeleteDirectory(string directory)
    {
        foreach (var entry in List(directory)) Delete($"{directory}/{entry.Name}");
        _directories.Remove(directory);
    }

    public void Rename(string from, string to)
    {
        lock (_gate)
        {
            if (!_names.TryGetValue(from, out var file)) throw new FileNotFoundException("There is no such file", from);
            Change(to, names =>
            {
                names.Remove(from);
                names[to] = file;
            });
        }
    }

    public ValueTask FlushDirectoryAsync(string directory)
    {
        lock (_gate)
        {
            var pending = _pendingNames.Where(change => change.Directory == directory).ToArray();
            return Flush(() =>
            {
                foreach (var change in pending)
                    if (_pendingNames.Remove(change)) change.Apply(_durableNames);
            });
        }
    }

    public IDisposable Lock(string directory, string owner)
    {
        if (_owners.TryGetValue(directory, out var other))
            throw new DirectoryInUseException($"{directory} is in use by {other}");
        _owners[directory] = owner;
        return new Release(() => _owners.Remove(directory));
    }

    /// <summary>Completes when a flush waits.</summary>
    public Task FlushHeldAsync()
    {
        lock (_gate)
        {
            if (_heldFlushes.Count > 0) return Task.CompletedTask;
            _heldSignal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _heldSignal.Task;
        }
    }

    /// <summary>Lets the flushes that wait complete, oldest first.</summary>
    public void ReleaseFlushes()
    {
        (Action Apply, TaskCompletionSource Done)[] held;
        lock (_gate)
        {
            held = [.. _heldFlushes];
            _heldFlushes.Clear();
            foreach (var flush in held) flush.Apply();
        }

        foreach (var flush in held) flush.Done.SetResult();
    }

    /// <summary>The process ends; all that was written stays in the page cache.</summary>
    public void KillProcess()
    {
        Generation++;
        _heldFlushes.Clear();
        _owners.Clear();
    }

    /// <summary>The power fails.</summary>
    public void Crash()
    {
        KillProcess();
        foreach (var change in _pendingNames.Take(_random.Next(_pendingNames.Count + 1))) change.Apply(_durableNames);
        _pendingNames.Clear();
        _names.Clear();
        foreach (var (path, file) in _durableNames) _names[path] = file;
        foreach (var file in _names.Values.Distinct()) file.Crash(_random);
    }

    /// <summary>Flips one bit, on the disk and in the cache.</summary>
    public void FlipBit(string path, long position)
    {
        var file = _names[path];
        file.Current[position] ^= 4;
        if (position < file.Durable.Length) file.Durable[position] ^= 4;
    }

    /// <summary>Overwrites bytes, on the disk and in the cache.</summary>
    public void Overwrite(string path, long position, ReadOnlySpan<byte> bytes)
    {
        var file = _names[path];
        bytes.CopyTo(file.Current.AsSpan((int)position));
        if (position + bytes.Length <= file.Durable.Length) bytes.CopyTo(file.Durable.AsSpan((int)position));
    }

    public bool Exists(string path) => _names.ContainsKey(path);

    public byte[] ReadAll(string path) => [.. _names[path].Current];

    private void Change(string path, Action<Dictionary<string, FaultyFile>> apply)
    {
        apply(_names);
        _pendingNames.Add((Path.GetDirectoryName(path)!, apply));
    }

    private ValueTask Flush(Action apply)
    {
        FlushCount++;
        if (FailFlushes) return ValueTask.FromException(new IOException("The disk failed"));
        if (!HoldFlushes)
        {
            apply();
            return ValueTask.CompletedTask;
        }

        var done = new TaskCompletionSource();
        _heldFlushes.Add((apply, done));
        _heldSignal.TrySetResult();
        return new ValueTask(done.Task);
    }

    private sealed class Release(Action action) : IDisposable
    {
        public void Dispose() => action();
    }

    private sealed class Handle(FaultyFileSystem files, string path, FaultyFile file) : ILogFile
    {
        private readonly int _generation = files.Generation;
        private bool _isDisposed;

        public string Path => path;

        public long Length => Open.Current.Length;

        private FaultyFile Open
        {
            get
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                return _generation == files.Generation ? file : throw new IOException($"{path}: the process that opened it is dead");
            }
        }

        public int Read(long position, Span<byte> destination)
        {
            if (files.FailReads) throw new IOException("The disk cannot be read");
            var rest = Open.Current.AsSpan((int)Math.Min(position, Open.Current.Length));
            var length = Math.Min(Math.Min(rest.Length, destination.Length), files.ReadBytesMax);
            rest[..length].CopyTo(destination);
            Interlocked.Add(ref files._bytesRead, length);
            return length;
        }

        public void Write(long position, ReadOnlySpan<byte> source)
        {
            lock (files._gate) WriteInTurn(position, source);
        }

        private void WriteInTurn(long position, ReadOnlySpan<byte> source)
        {
            var growth = Math.Max(0, position + source.Length - Open.Current.Length);
            var surplus = growth == 0 ? 0 : Math.Max(0, files.UsedBytes + growth - files.CapacityBytes);
            var written = source[..(int)Math.Max(0, source.Length - surplus)];
            if (written.Length > 0) Open.Write((int)position, written);
            if (surplus > 0) throw new IOException("No space left on device");
        }

        public void Truncate(long length)
        {
            lock (files._gate) Open.Truncate((int)length);
        }

        public ValueTask FlushAsync()
        {
            lock (files._gate)
            {
                if (files.FailFlushes) Open.ForgetDirtyPages();
                return files.Flush(Open.Snapshot());
            }
        }

        public void Dispose() => _isDisposed = true;
    }
}
