namespace OrleansLog.Storage;

/// <summary>Opens a file at its first use, by whichever thread comes first.</summary>
internal static class LazyFile
{
    public static ILogFile Get(ref ILogFile? field, ILogFileSystem files, string path, bool create)
    {
        if (Volatile.Read(ref field) is { } opened) return opened;
        var file = files.Open(path, create);
        var winner = Interlocked.CompareExchange(ref field, file, null);
        if (winner is null) return file;
        file.Dispose();
        return winner;
    }
}
