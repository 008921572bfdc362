namespace OrleansLog.Cli.Commands;

/// <summary>
/// Values to write: slices of one random text of letters, so that a codec finds about as much to save as in text
/// without repetitions. The same from run to run.
/// </summary>
internal sealed class Payload
{
    private const int Seed = 20250601;
    private const int PoolBytes = 1024 * 1024;

    private readonly byte[] _pool;
    private readonly int _size;
    private int _at;

    public Payload(int size)
    {
        _size = size;
        _pool = new byte[PoolBytes + size];
        var random = new Random(Seed);
        for (var i = 0; i < _pool.Length; i++) _pool[i] = (byte)('a' + random.Next(26));
    }

    public ReadOnlySpan<byte> Next()
    {
        _at = (_at + 61) % PoolBytes;
        return _pool.AsSpan(_at, _size);
    }
}
