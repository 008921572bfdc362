using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace OrleansLog.Silo.Metrics;

/// <summary>
/// Listens to the instruments of chosen meters and keeps their present values for whoever scrapes. Thread-safe. A
/// measurement costs a few tens of nanoseconds and no allocation.
/// </summary>
public sealed class MetricCollector : IDisposable
{
    /// <summary>Series per instrument beyond which measurements under new tags are left out, and counted.</summary>
    public const int SeriesPerInstrumentMax = 2000;

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<Instrument, MetricFamily> _families = new();
    private readonly Lock _scraping = new();
    private readonly int _seriesMax;
    private long _scrape;

    /// <param name="listensTo">Which meters, by name.</param>
    /// <param name="seriesMax">Series that one instrument may have.</param>
    public MetricCollector(Predicate<string> listensTo, int seriesMax = SeriesPerInstrumentMax)
    {
        _seriesMax = seriesMax;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (listensTo(instrument.Meter.Name))
                listener.EnableMeasurementEvents(instrument, Family(instrument));
        };
        _listener.MeasurementsCompleted = (instrument, family) => _families.TryRemove(KeyValuePair.Create(instrument, (MetricFamily)family!));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, family) => Measure(value, tags, family));
        _listener.SetMeasurementEventCallback<float>((_, value, tags, family) => Measure(value, tags, family));
        _listener.SetMeasurementEventCallback<decimal>((_, value, tags, family) => Measure((double)value, tags, family));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, family) => Measure(value, tags, family));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, family) => Measure(value, tags, family));
        _listener.SetMeasurementEventCallback<short>((_, value, tags, family) => Measure(value, tags, family));
        _listener.SetMeasurementEventCallback<byte>((_, value, tags, family) => Measure(value, tags, family));
        _listener.Start();
    }

    /// <summary>Asks the observed instruments for their values, and writes everything as Prometheus text.</summary>
    public void Write(PrometheusWriter writer)
    {
        lock (_scraping)
        {
            Interlocked.Increment(ref _scrape);
            _listener.RecordObservableInstruments();
            foreach (var family in _families.Values.GroupBy(f => f.Name).OrderBy(g => g.Key, StringComparer.Ordinal))
                writer.Write(family.ToList(), _scrape);
            writer.WriteDropped(_families.Values.Sum(f => f.Dropped));
            foreach (var family in _families.Values)
                family.Forget(_scrape);
        }
    }

    public void Dispose() => _listener.Dispose();

    private MetricFamily Family(Instrument instrument) => _families.GetOrAdd(instrument, i => new MetricFamily(i, _seriesMax));

    private void Measure(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? family) =>
        ((MetricFamily)family!).Measure(value, tags, Volatile.Read(ref _scrape));
}
