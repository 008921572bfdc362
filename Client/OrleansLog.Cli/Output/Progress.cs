using System.Diagnostics;

namespace OrleansLog.Cli.Output;

/// <summary>
/// Counts records and bytes, and shows them once a second on standard error, if a person watches and the work takes
/// that long. Counting belongs to one thread.
/// </summary>
internal sealed class Progress : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private const string EraseLine = "\r\u001b[K";

    private readonly TextWriter? _watched;
    private readonly Timer? _timer;
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly Lock _gate = new();
    private bool _shown;
    private bool _ended;
    private long _records;
    private long _bytes;

    public Progress(Terminal terminal, bool hidden = false)
    {
        if (!terminal.ErrorIsTerminal || hidden) return;
        _watched = terminal.Error;
        _timer = new Timer(_ => Show(), null, Interval, Interval);
    }

    public long Records => _records;

    public long Bytes => _bytes;

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_started);

    public void Add(int records, long bytes)
    {
        Volatile.Write(ref _records, _records + records);
        Volatile.Write(ref _bytes, _bytes + bytes);
    }

    /// <summary>Takes the line off the screen. Call it before anything else is said.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _ended = true;
            _timer?.Dispose();
            if (_shown) _watched!.Write(EraseLine);
            _shown = false;
        }
    }

    private void Show()
    {
        lock (_gate)
        {
            if (_ended) return;
            _shown = true;
            _watched!.Write(EraseLine + Units.Throughput(Volatile.Read(ref _records), Volatile.Read(ref _bytes), Elapsed));
            _watched.Flush();
        }
    }
}
