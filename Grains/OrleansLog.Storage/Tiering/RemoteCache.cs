using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;

namespace OrleansLog.Storage.Tiering;

/// <summary>
/// What was lately read from a remote store, as files on the disk: bounded in bytes, the least recently used goes first. What
/// comes in is checked, CRC and offsets, before anybody sees it. Begins empty. Any thread.
/// </summary>
/// <param name="store">Where segments are.</param>
/// <param name="files">The disk.</param>
/// <param name="directory">A directory for it alone; what is in there is deleted.</param>
/// <param name="bytesMax">The most that it keeps.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Told of what cannot be read.</param>
public sealed class RemoteCache(IRemoteStore store, ILogFileSystem files, string directory, long bytesMax, TimeProvider time, ILogger logger)
{
    private const int IndexesMax = 4096;
    // Somebody may just be sending from a file that is given up.
    private static readonly TimeSpan CloseDelay = TimeSpan.FromSeconds(60);
    // A store that does not answer is not asked again at once.
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, RemoteIndex> _indexes = [];
    private readonly Dictionary<(string Segment, int Number), LinkedListNode<CachedChunk>> _chunks = [];
    private readonly LinkedList<CachedChunk> _byUse = [];
    private readonly Dictionary<(string Segment, int Number), Task> _loading = [];
    private long _bytes;
    private long _files;

    public IRemoteStore Store => store;

    /// <summary>Drops what an earlier process left.</summary>
    public void Begin()
    {
        files.DeleteDirectory(directory);
        files.CreateDirectory(directory);
    }

    /// <summary>The index of a segment, if it is here; else it is fetched, and <paramref name="arrived"/> called.</summary>
    public RemoteIndex? FindIndex(RemoteSegment segment, Action<Exception?> arrived)
    {
        lock (_gate)
        {
            if (_indexes.GetValueOrDefault(segment.Name) is { } index) return index;
        }

        Load((segment.Name, -1), () => LoadIndexAsync(segment), arrived);
        return null;
    }

    /// <summary>One part of a segment, if it is here; else it is fetched, and <paramref name="arrived"/> called.</summary>
    internal CachedChunk? FindChunk(RemoteSegment segment, RemoteIndex index, int number, Action<Exception?> arrived)
    {
        lock (_gate)
        {
            if (_chunks.GetValueOrDefault((segment.Name, number)) is { } node)
            {
                _byUse.Remove(node);
                _byUse.AddLast(node);
                return node.Value;
            }
        }

        Load((segment.Name, number), () => LoadChunkAsync(segment, index, number), arrived);
        return null;
    }

    /// <summary>Has one part of a segment fetched, if it is not here nor on its way.</summary>
    internal void FetchChunk(RemoteSegment segment, RemoteIndex index, int number)
    {
        lock (_gate)
        {
            var key = (segment.Name, number);
            if (_chunks.ContainsKey(key) || _loading.ContainsKey(key)) return;
        }

        Load((segment.Name, number), () => LoadChunkAsync(segment, index, number), static _ => { });
    }

    private void Load((string, int) key, Func<Task> load, Action<Exception?> arrived)
    {
        TaskCompletionSource? own = null;
        Task loading;
        lock (_gate)
        {
            if (!_loading.TryGetValue(key, out loading!))
            {
                own = new(TaskCreationOptions.RunContinuationsAsynchronously);
                _loading[key] = loading = own.Task;
            }
        }

        _ = TellAsync(loading, arrived);
        if (own is not null) _ = RunAsync(key, load, own);
    }

    private static async Task TellAsync(Task loading, Action<Exception?> arrived)
    {
        Exception? failure = null;
        try
        {
            await loading;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            failure = e;
        }

        arrived(failure);
    }

    private async Task RunAsync((string Segment, int Number) key, Func<Task> load, TaskCompletionSource done)
    {
        try
        {
            await load();
            lock (_gate) _loading.Remove(key);
            done.SetResult();
        }
        catch (Exception e)
        {
            logger.LogError("'{Segment}' could not be read from the remote store: {Reason}", key.Segment, e.Message);
            done.SetException(e is IOException or InvalidDataException ? e : new IOException(e.Message, e));
            await Task.Delay(RetryDelay, time);
            lock (_gate) _loading.Remove(key);
        }
    }

    private async Task LoadIndexAsync(RemoteSegment segment)
    {
        var document = await store.ReadDocumentAsync(segment.IndexName, CancellationToken.None) ?? throw new RemoteObjectMissingException(segment.IndexName);
        var index = RemoteIndex.Parse(document.Content.Span, segment)
            ?? throw new InvalidDataException($"'{segment.IndexName}' in the remote store is not what was written there.");
        lock (_gate)
        {
            if (_indexes.Count == IndexesMax) _indexes.Clear();
            _indexes[segment.Name] = index;
        }
    }

    private async Task LoadChunkAsync(RemoteSegment segment, RemoteIndex index, int number)
    {
        var (from, to) = BoundsOf(segment, index, number);
        var bytes = new byte[to - from];
        var read = await store.ReadAsync(segment.Name, from, bytes, CancellationToken.None);
        if (read < bytes.Length) throw new InvalidDataException($"'{segment.Name}' in the remote store ends at {from + read}, and should reach to {segment.SizeInBytes}.");
        var next = number + 1 < index.Chunks.Count ? index.Chunks[number + 1].BaseOffset : segment.NextOffset;
        var table = CachedChunk.Check(bytes, index.Chunks[number].BaseOffset, next, $"'{segment.Name}' at {from}");
        var file = files.Open($"{directory}/{Interlocked.Increment(ref _files)}.chunk", create: true);
        file.Write(0, bytes);
        Add(new CachedChunk((segment.Name, number), file, bytes.Length, table));
    }

    private static (int From, int To) BoundsOf(RemoteSegment segment, RemoteIndex index, int number) => (
        index.Chunks[number].Position,
        number + 1 < index.Chunks.Count ? index.Chunks[number + 1].Position : segment.SizeInBytes);

    private void Add(CachedChunk chunk)
    {
        List<CachedChunk> dropped = [];
        lock (_gate)
        {
            _chunks[chunk.Key] = _byUse.AddLast(chunk);
            _bytes += chunk.Length;
            while (_bytes > bytesMax && _byUse.First is { } oldest && oldest.Value != chunk)
            {
                _byUse.RemoveFirst();
                _chunks.Remove(oldest.Value.Key);
                _bytes -= oldest.Value.Length;
                dropped.Add(oldest.Value);
            }
        }

        foreach (var each in dropped) _ = CloseAsync(each.File);
    }

    private async Task CloseAsync(ILogFile file)
    {
        file.KeepOpen();
        files.Delete(file.Path);
        await Task.Delay(CloseDelay, time);
        file.Dispose();
    }
}
