namespace OrleansLog.UnitTests.Support;

/// <summary>The bytes of one file: those that were written, and those that a crash cannot take.</summary>
internal sealed class FaultyFile
{
    private const int PageBytes = 4096;
    private const int SectorBytes = 512;

    private readonly HashSet<int> _dirtyPages = [];

    public byte[] Current { get; private set; } = [];

    public byte[] Durable { get; private set; } = [];

    public void Write(int position, ReadOnlySpan<byte> source)
    {
        if (position + source.Length > Current.Length) Resize(position + source.Length);
        source.CopyTo(Current.AsSpan(position));
        for (var page = position / PageBytes; page * PageBytes < position + source.Length; page++) _dirtyPages.Add(page);
    }

    public void Truncate(int length)
    {
        if (length == Current.Length) return;
        Resize(length);
        _dirtyPages.Add(length / PageBytes);
    }

    /// <summary>A flush failed: the system takes the pages for clean, and never writes them.</summary>
    public void ForgetDirtyPages() => _dirtyPages.Clear();

    /// <summary>What a flush that starts now makes durable when it completes.</summary>
    public Action Snapshot()
    {
        byte[] bytes = [.. Current];
        for (var page = 0; page * PageBytes < bytes.Length; page++)
            if (!_dirtyPages.Contains(page)) Page(Durable, page).CopyTo(Page(bytes, page));
        return () =>
        {
            Durable = bytes;
            _dirtyPages.RemoveWhere(page => Page(Current, page).SequenceEqual(Page(Durable, page)));
        };
    }

    public void Crash(Random random)
    {
        var survived = new byte[random.Next(2) == 0 ? Durable.Length : Current.Length];
        Durable.AsSpan(0, Math.Min(Durable.Length, survived.Length)).CopyTo(survived);
        foreach (var page in _dirtyPages.Order()) Survive(survived, page, random);
        Current = survived;
        Durable = [.. survived];
        _dirtyPages.Clear();
    }

    // All of the page, nothing of it, or its first sectors.
    private void Survive(byte[] survived, int page, Random random)
    {
        var bytes = random.Next(3) switch
        {
            0 => 0,
            1 => PageBytes,
            _ => random.Next(PageBytes / SectorBytes) * SectorBytes,
        };
        var source = Page(Current, page);
        var destination = Page(survived, page);
        bytes = Math.Min(bytes, Math.Min(source.Length, destination.Length));
        source[..bytes].CopyTo(destination);
    }

    private void Resize(int length)
    {
        var resized = Current;
        Array.Resize(ref resized, length);
        Current = resized;
    }

    private static Span<byte> Page(byte[] bytes, int page)
    {
        var start = Math.Min(bytes.Length, page * PageBytes);
        return bytes.AsSpan(start, Math.Min(PageBytes, bytes.Length - start));
    }
}
