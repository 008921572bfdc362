using System.Buffers;
using System.Buffers.Binary;

namespace OrleansLog.Storage;

/// <summary>One index entry: both fields only ever grow from one entry to the next.</summary>
internal readonly record struct IndexEntry(long Key, int Value);

/// <summary>
/// A sparse index of one segment in Kafka's file formats: <c>.index</c> holds (4-byte relative offset, 4-byte
/// position), <c>.timeindex</c> holds (8-byte timestamp, 4-byte relative offset), all big-endian. The newest entries
/// are in memory and move to the file in bulk, so that an index costs an idle log nearly nothing. Lookups from any
/// thread, without locks; changes on the writer's turn only.
/// </summary>
internal sealed class SparseIndex(Segment segment, string suffix, int keySize)
{
    /// <summary>Entries held in memory before they go to the file.</summary>
    private const int TailEntriesMax = 1024;

    private const int ValueSize = sizeof(int);
    private const int BlockEntries = 64;

    private View _view = View.Empty;
    private ILogFile? _file;

    private int EntrySize => keySize + ValueSize;

    public int Count => Volatile.Read(ref _view) is var view ? view.Stored + view.TailCount : 0;

    /// <summary>Whether the file was cut since it was last flushed.</summary>
    public bool IsCut { get; private set; }

    /// <summary>The last entry, if there is one.</summary>
    public IndexEntry? Last
    {
        get
        {
            var view = Volatile.Read(ref _view);
            if (view.TailCount > 0) return view.Tail[view.TailCount - 1];
            return view.Stored > 0 ? ReadStored(view.Stored - 1) : null;
        }
    }

    /// <summary>The last entry whose key is at most <paramref name="key"/>.</summary>
    public IndexEntry? FloorByKey(long key) => Floor(key, static entry => entry.Key);

    /// <summary>The last entry whose value is at most <paramref name="value"/>.</summary>
    public IndexEntry? FloorByValue(int value) => Floor(value, static entry => entry.Value);

    /// <summary>Adds an entry behind all others.</summary>
    public void Add(long key, int value)
    {
        var view = _view;
        if (view.TailCount >= TailEntriesMax) TryStore();
        view = _view;
        if (view.TailCount == view.Tail.Length) Volatile.Write(ref _view, view = view.Grown());
        view.Add(new IndexEntry(key, value));
    }

    /// <summary>How many whole entries a file of some length holds; -1 when there is no file (a length of -1).</summary>
    public int EntriesIn(long fileLength) => fileLength < 0 ? -1 : (int)(fileLength / EntrySize);

    /// <summary>Takes over the entries that the file is known to hold.</summary>
    public void Load(int storedEntries) => Volatile.Write(ref _view, new View(storedEntries, [], 0));

    /// <summary>Keeps the first so many entries, in the file too.</summary>
    public void Truncate(int storedEntries)
    {
        IsCut = true;
        Load(storedEntries);
        OpenFile(create: true).Truncate((long)storedEntries * EntrySize);
    }

    /// <summary>
    /// Writes the entries in memory to the file, into the page cache. The file exists afterwards even if the index is
    /// empty: a missing file means a lost index.
    /// </summary>
    public void Store()
    {
        var view = _view;
        var file = OpenFile(create: true);
        if (view.TailCount == 0) return;
        var length = view.TailCount * EntrySize;
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        for (var i = 0; i < view.TailCount; i++) Write(bytes.AsSpan(i * EntrySize), view.Tail[i]);
        file.Write((long)view.Stored * EntrySize, bytes.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(bytes);
        Load(view.Stored + view.TailCount);
    }

    /// <summary>Drops every entry whose value is at or past <paramref name="value"/>.</summary>
    public void TruncateByValue(int value)
    {
        Store();
        var stored = _view.Stored;
        while (stored > 0 && ReadStored(stored - 1).Value >= value) stored--;
        Truncate(stored);
    }

    /// <summary>Completes when what <see cref="Store"/> wrote is durable.</summary>
    public ValueTask FlushAsync()
    {
        IsCut = false;
        return OpenFile(create: true).FlushAsync();
    }

    /// <summary>The file's name goes to another one; its bytes stay readable until <see cref="Close"/>.</summary>
    public void KeepOpen() => OpenFile(create: false).KeepOpen();

    public void Close() => Interlocked.Exchange(ref _file, null)?.Dispose();

    // A full disk costs the index nothing: its entries stay in memory until there is room.
    private void TryStore()
    {
        try
        {
            Store();
        }
        catch (IOException)
        {
        }
    }

    private IndexEntry? Floor(long target, Func<IndexEntry, long> field)
    {
        var view = Volatile.Read(ref _view);
        var count = view.TailCount;
        if (count == 0 || field(view.Tail[0]) > target) return FloorStored(view.Stored, target, field);
        var low = 1;
        for (var high = count; low < high;)
        {
            var middle = (low + high) >>> 1;
            if (field(view.Tail[middle]) <= target) low = middle + 1;
            else high = middle;
        }

        return view.Tail[low - 1];
    }

    private IndexEntry? FloorStored(int count, long target, Func<IndexEntry, long> field)
    {
        var low = 0;
        var high = count;
        while (high - low > BlockEntries)
        {
            var middle = (low + high) >>> 1;
            if (field(ReadStored(middle)) <= target) low = middle;
            else high = middle;
        }

        return FloorInBlock(low, high - low, target, field);
    }

    private IndexEntry? FloorInBlock(int first, int count, long target, Func<IndexEntry, long> field)
    {
        if (count == 0) return null;
        Span<byte> block = stackalloc byte[BlockEntries * EntrySize];
        block = block[..(count * EntrySize)];
        OpenFile(create: false).ReadExactly((long)first * EntrySize, block);
        IndexEntry? floor = null;
        for (var i = 0; i < count && Parse(block[(i * EntrySize)..]) is var entry && field(entry) <= target; i++) floor = entry;
        return floor;
    }

    private IndexEntry ReadStored(int number)
    {
        Span<byte> bytes = stackalloc byte[EntrySize];
        OpenFile(create: false).ReadExactly((long)number * EntrySize, bytes);
        return Parse(bytes);
    }

    private IndexEntry Parse(ReadOnlySpan<byte> bytes) => new(
        keySize == sizeof(int) ? BinaryPrimitives.ReadInt32BigEndian(bytes) : BinaryPrimitives.ReadInt64BigEndian(bytes),
        BinaryPrimitives.ReadInt32BigEndian(bytes[keySize..]));

    private void Write(Span<byte> bytes, IndexEntry entry)
    {
        if (keySize == sizeof(int)) BinaryPrimitives.WriteInt32BigEndian(bytes, (int)entry.Key);
        else BinaryPrimitives.WriteInt64BigEndian(bytes, entry.Key);
        BinaryPrimitives.WriteInt32BigEndian(bytes[keySize..], entry.Value);
    }

    private ILogFile OpenFile(bool create) => segment.OpenFile(ref _file, suffix, create);

    /// <summary>What a reader sees at once: a count of stored entries and the ones that follow them.</summary>
    private sealed class View(int stored, IndexEntry[] tail, int tailCount)
    {
        public static readonly View Empty = new(0, [], 0);

        private int _tailCount = tailCount;

        public int Stored => stored;
        public IndexEntry[] Tail => tail;
        public int TailCount => Volatile.Read(ref _tailCount);

        public void Add(IndexEntry entry)
        {
            tail[_tailCount] = entry;
            Volatile.Write(ref _tailCount, _tailCount + 1);
        }

        public View Grown()
        {
            var larger = new IndexEntry[Math.Max(4, tail.Length * 2)];
            tail.CopyTo(larger, 0);
            return new View(stored, larger, _tailCount);
        }
    }
}
