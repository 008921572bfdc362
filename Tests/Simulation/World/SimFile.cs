using OrleansLog.Simulation.Running;
using OrleansLog.Storage;

namespace OrleansLog.Simulation.World;

/// <summary>
/// The bytes of one file: what programs see, and what a power failure would leave. A flush makes the ranges written
/// before it durable; a crash keeps a seeded choice of the other sectors.
/// </summary>
internal sealed class SimFile
{
    private const int SectorBytes = 512;

    private byte[] _seen = [];
    private byte[] _durable = [];
    private readonly List<(int From, int To)> _dirty = [];

    public int Length { get; private set; }

    private int _durableLength;

    public ReadOnlySpan<byte> Bytes => _seen.AsSpan(0, Length);

    public int Read(long position, Span<byte> destination)
    {
        if (position >= Length) return 0;
        var count = (int)Math.Min(destination.Length, Length - position);
        _seen.AsSpan((int)position, count).CopyTo(destination);
        return count;
    }

    public void Write(int position, ReadOnlySpan<byte> source)
    {
        var end = position + source.Length;
        if (end > _seen.Length) Array.Resize(ref _seen, Math.Max(end, Math.Max(4096, _seen.Length * 2)));
        if (position > Length) _seen.AsSpan(Length, position - Length).Clear();
        source.CopyTo(_seen.AsSpan(position));
        Length = Math.Max(Length, end);
        if (_dirty is [.., var last] && last.To == position) _dirty[^1] = (last.From, end);
        else _dirty.Add((position, end));
    }

    public void Truncate(int length)
    {
        if (length > Length) Write(Length, new byte[length - Length]);
        Length = length;
        _dirty.Add((length, length));
    }

    /// <summary>What a flush that begins now will have made durable when it ends.</summary>
    public SimFlush BeginFlush() => new([.. _dirty], Length);

    public void EndFlush(SimFlush flush)
    {
        var end = Math.Min(flush.Length, Length);
        foreach (var (from, to) in flush.Ranges) Harden(Math.Min(from, end), Math.Min(to, end));
        _durableLength = end;
        _dirty.RemoveAll(flush.Ranges.Contains);
    }

    /// <summary>A flush that failed: the system forgets that the pages are dirty, and never writes them.</summary>
    public void LoseFlush(SimFlush flush) => _dirty.RemoveAll(flush.Ranges.Contains);

    /// <summary>The power fails: of what was not flushed, some sectors made it.</summary>
    public void Crash(SimRandom random)
    {
        var length = random.Chance(0.5) ? Length : _durableLength;
        if (length > _durable.Length) Array.Resize(ref _durable, length);
        if (length > _durableLength) _durable.AsSpan(_durableLength, length - _durableLength).Clear();
        foreach (var (from, to) in _dirty)
            for (var at = from; at < to; at = (at / SectorBytes + 1) * SectorBytes)
                if (random.Chance(0.5)) Harden(at, Math.Min(Math.Min(to, length), (at / SectorBytes + 1) * SectorBytes));
        _durableLength = length;
        _seen = [.. _durable.AsSpan(0, length)];
        Length = length;
        _dirty.Clear();
    }

    /// <summary>A bit changes, on the disk and for everybody who reads.</summary>
    public void FlipBit(int position, int bit)
    {
        _seen[position] ^= (byte)(1 << bit);
        if (position < _durableLength) _durable[position] ^= (byte)(1 << bit);
    }

    /// <summary>Other bytes, on the disk and for everybody who reads.</summary>
    public void Overwrite(int position, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_seen.AsSpan(position));
        if (position < _durableLength) bytes[..Math.Min(bytes.Length, _durableLength - position)].CopyTo(_durable.AsSpan(position));
    }

    /// <summary>The end is gone, on the disk and for everybody who reads.</summary>
    public void Cut(int length) => (Length, _durableLength) = (length, Math.Min(length, _durableLength));

    private void Harden(int from, int to)
    {
        if (to <= from) return;
        if (to > _durable.Length) Array.Resize(ref _durable, Math.Max(to, _durable.Length * 2));
        _seen.AsSpan(from, to - from).CopyTo(_durable.AsSpan(from));
    }
}

internal sealed record SimFlush(List<(int From, int To)> Ranges, int Length);
