using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;

namespace OrleansLog.Storage.Tiering;

/// <summary>
/// What is being read from a remote store: in memory, bounded in bytes for all readers together, and what was fetched more than
/// once as files on the disk, bounded too. What comes in is checked, CRC and offsets, before anybody sees it, and served from
/// memory; files are written after that. Begins empty. Any thread.
/// </summary>
public sealed class RemoteCache
{
    private const int IndexesMax = 4096;
    // Somebody may just be sending from a file that is given up.
    private static readonly TimeSpan CloseDelay = TimeSpan.FromSeconds(60);
    // A store that does not answer is not asked again at once.
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    private readonly ILogFileSystem _disk;
    private readonly string _directory;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, RemoteIndex> _indexes = [];
    private readonly Dictionary<(string Segment, int Part), Loading> _loading = [];
    private readonly ReadRoom _memory;
    private readonly ReadAgain _again = new();
    private readonly BlockShelf _files = new();
    private bool _isWriting;
    private long _filesMade;

    /// <param name="store">Where segments are.</param>
    /// <param name="disk">The disk.</param>
    /// <param name="directory">A directory for it alone; what is in there is deleted.</param>
    /// <param name="options">How much it keeps, and fetches at once.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of what cannot be read.</param>
    public RemoteCache(IRemoteStore store, ILogFileSystem disk, string directory, RemoteReadOptions options, TimeProvider time, ILogger logger)
    {
        (Store, _disk, _directory, Options, _time, _logger) = (store, disk, directory, options, time, logger);
        _memory = new ReadRoom(options.MemoryBytesMax, time, _again.Note);
    }

    public IRemoteStore Store { get; }

    public RemoteReadOptions Options { get; }

    /// <summary>Bytes that are in memory or on their way there.</summary>
    public long BytesInMemory
    {
        get
        {
            lock (_gate) return _memory.Bytes;
        }
    }

    /// <summary>Drops what an earlier process left.</summary>
    public void Begin()
    {
        _disk.DeleteDirectory(_directory);
        _disk.CreateDirectory(_directory);
    }

    /// <summary>Lets go of memory that nobody has read from lately.</summary>
    public void DropForgotten()
    {
        lock (_gate) _memory.DropForgotten();
    }

    /// <summary>The index of a segment, if it is here; else it is fetched, and <paramref name="arrived"/> called.</summary>
    public RemoteIndex? FindIndex(RemoteSegment segment, Action<Exception?> arrived)
    {
        Loading? loading;
        var isNew = false;
        lock (_gate)
        {
            if (_indexes.GetValueOrDefault(segment.Name) is { } index) return index;
            if (!_loading.TryGetValue((segment.Name, Loading.Index), out loading)) (loading, isNew) = (Begin(segment.Name, Loading.Index, Loading.Index + 1, isAwaited: true), true);
        }

        _ = TellAsync(loading, arrived);
        if (isNew) _ = RunAsync(loading, () => LoadIndexAsync(segment));
        return null;
    }

    /// <summary>The block with one part of a segment, if it is here; else that part is fetched, and <paramref name="arrived"/> called.</summary>
    internal StoredBlock? FindBlock(RemoteSegment segment, RemoteIndex index, int part, Action<Exception?> arrived)
    {
        Loading? loading;
        var (isNew, room) = (false, Task.CompletedTask);
        lock (_gate)
        {
            if ((_memory.Find(segment.Name, part) ?? _files.Find(segment.Name, part)) is { } block) return block;
            if (!_loading.TryGetValue((segment.Name, part), out loading))
            {
                (loading, isNew) = (Begin(segment.Name, part, part + 1, isAwaited: true), true);
                room = _memory.TakeAsync(index.BytesOf(segment, part, part + 1));
            }
        }

        _ = TellAsync(loading, arrived);
        if (isNew) _ = RunAsync(loading, () => LoadBlockAsync(segment, index, loading, room, precedingBytes: 0));
        return null;
    }

    /// <summary>Notes what was read of a block; true when it is the first time.</summary>
    internal bool NoteReading(StoredBlock block, in LogSlice slice)
    {
        if (slice.Position + slice.Length == block.Length)
        {
            lock (_gate) _memory.NoteSpent(block);
        }

        return block.NoteReading();
    }

    /// <summary>The part after the block with this one, which is here or on its way; null when it is neither.</summary>
    internal int? EndAt(RemoteSegment segment, int part)
    {
        lock (_gate)
            return (_memory.Peek(segment.Name, part) ?? _files.Peek(segment.Name, part))?.End ?? _loading.GetValueOrDefault((segment.Name, part))?.End;
    }

    /// <summary>Has parts fetched that nobody waits for yet: as many as the bytes allow, and one at least, up to one that is here already.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="index">Its index.</param>
    /// <param name="first">The first part; neither here nor on its way.</param>
    /// <param name="bytesMax">How much to fetch at once.</param>
    /// <param name="precedingBytes">How much was read or fetched in sequence before it.</param>
    /// <returns>The part after the last one that is fetched: the first when there is no memory for any.</returns>
    internal int FetchAhead(RemoteSegment segment, RemoteIndex index, int first, int bytesMax, long precedingBytes)
    {
        Loading loading;
        lock (_gate)
        {
            var end = first + 1;
            while (end < index.Chunks.Count && index.BytesOf(segment, first, end + 1) <= bytesMax && EndAt(segment, end) is null) end++;
            if (EndAt(segment, first) is not null || !_memory.TryTakeAhead(index.BytesOf(segment, first, end))) return first;
            loading = Begin(segment.Name, first, end, isAwaited: false);
        }

        _ = RunAsync(loading, () => LoadBlockAsync(segment, index, loading, Task.CompletedTask, precedingBytes));
        return loading.End;
    }

    private Loading Begin(string segment, int first, int end, bool isAwaited)
    {
        var loading = new Loading(segment, first, end, isAwaited);
        for (var part = first; part < end; part++) _loading[(segment, part)] = loading;
        return loading;
    }

    private void End(Loading loading)
    {
        lock (_gate)
            for (var part = loading.First; part < loading.End; part++) _loading.Remove((loading.Segment, part));
    }

    private static async Task TellAsync(Loading loading, Action<Exception?> arrived)
    {
        Exception? failure = null;
        try
        {
            await loading.Done.Task;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            failure = e;
        }

        arrived(failure);
    }

    private async Task RunAsync(Loading loading, Func<Task> load)
    {
        try
        {
            await load();
            End(loading);
            loading.Done.SetResult();
        }
        catch (Exception) when (!loading.IsAwaited)
        {
            // Who waits for one of its parts meanwhile asks for that alone, and is told what is wrong with it.
            End(loading);
            loading.Done.SetResult();
        }
        catch (Exception e)
        {
            _logger.LogError("'{Segment}' could not be read from the remote store: {Reason}", loading.Segment, e.Message);
            loading.Done.SetException(e is IOException or InvalidDataException ? e : new IOException(e.Message, e));
            await Task.Delay(RetryDelay, _time);
            End(loading);
        }
    }

    private async Task LoadIndexAsync(RemoteSegment segment)
    {
        var document = await Store.ReadDocumentAsync(segment.IndexName, CancellationToken.None) ?? throw new RemoteObjectMissingException(segment.IndexName);
        var index = RemoteIndex.Parse(document.Content.Span, segment)
            ?? throw new InvalidDataException($"'{segment.IndexName}' in the remote store is not what was written there.");
        lock (_gate)
        {
            if (_indexes.Count == IndexesMax) _indexes.Clear();
            _indexes[segment.Name] = index;
        }
    }

    private async Task LoadBlockAsync(RemoteSegment segment, RemoteIndex index, Loading loading, Task room, long precedingBytes)
    {
        await room;
        var bytes = index.BytesOf(segment, loading.First, loading.End);
        StoredBlock block;
        try
        {
            block = await FetchAsync(segment, index, loading, precedingBytes + bytes);
        }
        catch (Exception)
        {
            lock (_gate) _memory.Return(bytes);
            throw;
        }

        bool isKept;
        lock (_gate)
        {
            _memory.Put(block);
            isKept = _again.Knows(block) && !_isWriting && block.Length <= Options.DiskBytesMax;
            _isWriting |= isKept;
        }

        if (isKept) _ = KeepAsync(block, loading.Done.Task);
    }

    private async Task<StoredBlock> FetchAsync(RemoteSegment segment, RemoteIndex index, Loading loading, long runBytes)
    {
        var from = index.PositionOf(segment, loading.First);
        var bytes = GC.AllocateUninitializedArray<byte>(index.BytesOf(segment, loading.First, loading.End));
        var read = await Store.ReadAsync(segment.Name, from, bytes, CancellationToken.None);
        if (read < bytes.Length) throw new InvalidDataException($"'{segment.Name}' in the remote store ends at {from + read}, and should reach to {segment.SizeInBytes}.");
        var name = $"'{segment.Name}' at {from}";
        var table = StoredBlock.Check(bytes, index.OffsetOf(segment, loading.First), index.OffsetOf(segment, loading.End), name);
        return new StoredBlock(segment.Name, loading.First, loading.End, new MemoryLogFile(name, bytes), bytes.Length, table) { RunBytes = runBytes };
    }

    // Nobody waits for it: who asked for the block has it. One at a time; what comes meanwhile may come again.
    private async Task KeepAsync(StoredBlock block, Task served)
    {
        try
        {
            await served;
            var file = _disk.Open($"{_directory}/{Interlocked.Increment(ref _filesMade)}.block", create: true);
            file.Write(0, ((MemoryLogFile)block.File).Content.Span);
            Add(block with { File = file });
        }
        catch (IOException e)
        {
            _logger.LogWarning("'{Segment}', which was read from the remote store, cannot be kept on the disk: {Reason}", block.Segment, e.Message);
        }

        lock (_gate) _isWriting = false;
    }

    private void Add(StoredBlock kept)
    {
        List<StoredBlock> dropped = [];
        lock (_gate)
        {
            for (var part = kept.First; part < kept.End; part++)
                if (_files.Peek(kept.Segment, part) is { } other) Drop(other);
            while (_files.Bytes + kept.Length > Options.DiskBytesMax && _files.Oldest is { } oldest) Drop(oldest);
            _files.Add(kept);
        }

        foreach (var each in dropped) _ = CloseAsync(each.File);

        void Drop(StoredBlock block)
        {
            _files.Remove(block);
            dropped.Add(block);
        }
    }

    private async Task CloseAsync(ILogFile file)
    {
        file.KeepOpen();
        _disk.Delete(file.Path);
        await Task.Delay(CloseDelay, _time);
        file.Dispose();
    }

    /// <summary>Parts, or an index, on their way.</summary>
    private sealed record Loading(string Segment, int First, int End, bool IsAwaited)
    {
        public const int Index = -1;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
