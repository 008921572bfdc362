using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace OrleansLog.Silo.Metrics;

/// <summary>What Prometheus takes an instrument for.</summary>
internal enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>
/// One instrument and its series. A measurement finds its series without a lock and without allocating; only the first
/// measurement under new tags takes the lock.
/// </summary>
internal sealed class MetricFamily
{
    private readonly ConcurrentDictionary<int, Series> _series = new();
    private readonly Lock _adding = new();
    private readonly int _seriesMax;
    private readonly bool _replaces;
    private int _count;
    private long _dropped;

    public MetricFamily(Instrument instrument, int seriesMax)
    {
        _seriesMax = seriesMax;
        Kind = KindOf(instrument);
        IsObserved = instrument.IsObservable;
        _replaces = IsObserved || Is(instrument, typeof(Gauge<>));
        Name = MetricName.Of(instrument.Name, instrument.Unit, Kind);
        Description = instrument.Description ?? "";
        Bounds = Kind is MetricKind.Histogram ? HistogramBounds.For(instrument) : [];
    }

    public string Name { get; }

    public string Description { get; }

    public MetricKind Kind { get; }

    /// <summary>Whether values are asked for at each scrape, and mean totals, rather than told as they happen.</summary>
    public bool IsObserved { get; }

    public double[] Bounds { get; }

    /// <summary>Measurements left out because the instrument has as many series as it may have.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Every series; of an observed instrument those that the given scrape saw, so that a deleted topic's go.</summary>
    public IEnumerable<Series> SeriesAt(long scrape) => All().Where(s => !IsObserved || s.SeenAt == scrape);

    public void Measure(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, long scrape)
    {
        if (Find(tags) is not { } series)
        {
            Interlocked.Increment(ref _dropped);
            return;
        }
        series.SeenAt = scrape;
        if (Kind is MetricKind.Histogram)
            series.Record(value);
        else if (_replaces)
            series.Set(value);
        else
            series.Add(value);
    }

    /// <summary>Forgets the series of an observed instrument that the given scrape did not see.</summary>
    public void Forget(long scrape)
    {
        if (!IsObserved || All().All(s => s.SeenAt == scrape))
            return;
        lock (_adding)
        {
            var live = SeriesAt(scrape).ToList();
            _series.Clear();
            _count = live.Count;
            foreach (var series in live)
                Insert(series.Tags, scrape).Set(series.Value);
        }
    }

    private IEnumerable<Series> All()
    {
        foreach (var first in _series.Values)
        {
            for (var series = first; series is not null; series = series.Next)
                yield return series;
        }
    }

    private Series? Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var hash = Hash(tags);
        if (Chained(hash, tags) is { } known)
            return known;
        lock (_adding)
        {
            if (Chained(hash, tags) is { } added)
                return added;
            if (_count >= _seriesMax)
                return null;
            _count++;
            return Insert(tags.ToArray(), 0);
        }
    }

    private Series? Chained(int hash, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var series = _series.GetValueOrDefault(hash);
        while (series is not null && !series.HasTags(tags))
            series = series.Next;
        return series;
    }

    private Series Insert(KeyValuePair<string, object?>[] tags, long scrape)
    {
        var hash = Hash(tags);
        var series = new Series(tags, Bounds) { Next = _series.GetValueOrDefault(hash), SeenAt = scrape };
        _series[hash] = series;
        return series;
    }

    private static MetricKind KindOf(Instrument instrument) =>
        Is(instrument, typeof(Counter<>)) || Is(instrument, typeof(ObservableCounter<>)) ? MetricKind.Counter
        : Is(instrument, typeof(Histogram<>)) ? MetricKind.Histogram
        : MetricKind.Gauge;

    private static bool Is(Instrument instrument, Type generic) =>
        instrument.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == generic;

    private static int Hash(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var hash = new HashCode();
        foreach (var tag in tags)
        {
            hash.Add(tag.Key);
            hash.Add(tag.Value);
        }
        return hash.ToHashCode();
    }
}
