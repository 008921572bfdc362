namespace OrleansLog.Simulation.Running;

/// <summary>
/// The one source of chance in a run: SplitMix64 (Steele, Lea and Flood, 2014), so that a seed means the same on every
/// machine and every release of the runtime.
/// </summary>
public sealed class SimRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>From 0 (inclusive) to <paramref name="below"/> (exclusive).</summary>
    public long Below(long below) => (long)(Next() % (ulong)below);

    public int Below(int below) => (int)Below((long)below);

    public long Between(long from, long to) => from + Below(to - from + 1);

    public bool Chance(double probability) => Next() < (ulong)(probability * ulong.MaxValue);

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];
}
