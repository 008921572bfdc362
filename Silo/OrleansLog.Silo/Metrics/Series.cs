namespace OrleansLog.Silo.Metrics;

/// <summary>
/// The present state of one instrument under one set of tags. Measurements come from any thread; a reader may see a
/// histogram's sum and buckets a few measurements apart, as with any scrape.
/// </summary>
internal sealed class Series(KeyValuePair<string, object?>[] tags, double[] bounds)
{
    private readonly long[] _buckets = new long[bounds.Length + 1];
    private double _value;

    public KeyValuePair<string, object?>[] Tags => tags;

    /// <summary>The next series whose tags have the same hash.</summary>
    public Series? Next { get; init; }

    /// <summary>The last scrape that saw a value from an instrument that is asked for its values.</summary>
    public long SeenAt { get; set; }

    /// <summary>A counter's total, a gauge's value, a histogram's sum.</summary>
    public double Value => Volatile.Read(ref _value);

    /// <summary>How many measurements fell into each bucket (not cumulative), the last one without upper bound.</summary>
    public ReadOnlySpan<long> Buckets => _buckets;

    public void Set(double value) => Volatile.Write(ref _value, value);

    public void Add(double value)
    {
        double seen, found = Value;
        do
        {
            seen = found;
            found = Interlocked.CompareExchange(ref _value, seen + value, seen);
        }
        while (BitConverter.DoubleToInt64Bits(found) != BitConverter.DoubleToInt64Bits(seen));
    }

    public void Record(double value)
    {
        var bucket = 0;
        while (bucket < bounds.Length && value > bounds[bucket])
            bucket++;
        Interlocked.Increment(ref _buckets[bucket]);
        Add(value);
    }

    public bool HasTags(ReadOnlySpan<KeyValuePair<string, object?>> others)
    {
        if (tags.Length != others.Length)
            return false;
        for (var i = 0; i < tags.Length; i++)
        {
            if (tags[i].Key != others[i].Key || !Equals(tags[i].Value, others[i].Value))
                return false;
        }
        return true;
    }
}
