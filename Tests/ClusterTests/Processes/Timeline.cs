namespace OrleansLog.ClusterTests.Processes;

/// <summary>When something came about, again and again. Not for several threads at once.</summary>
internal sealed class Timeline
{
    private readonly List<long> _momentsMs = [];

    public int Count => _momentsMs.Count;

    public void Add() => _momentsMs.Add(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());

    public int CountSince(DateTimeOffset moment) => _momentsMs.Count - FirstAfter(moment.ToUnixTimeMilliseconds());

    /// <summary>The longest time between two moments in which nothing came about, in ms.</summary>
    public long LongestGap(DateTimeOffset from, DateTimeOffset to)
    {
        var (fromMs, toMs) = (from.ToUnixTimeMilliseconds(), to.ToUnixTimeMilliseconds());
        long[] moments = [fromMs, .. _momentsMs.Skip(FirstAfter(fromMs)).Where(atMs => atMs <= toMs), toMs];
        return moments.Zip(moments.Skip(1)).Max(each => each.Second - each.First);
    }

    private int FirstAfter(long atMs)
    {
        var first = _momentsMs.Count;
        while (first > 0 && _momentsMs[first - 1] > atMs)
            first--;
        return first;
    }
}
