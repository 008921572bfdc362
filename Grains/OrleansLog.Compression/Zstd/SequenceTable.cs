namespace OrleansLog.Compression.Zstd;

/// <summary>
/// The FSE table of one of the three numbers of a sequence, as the blocks of a frame choose it (RFC 8878, section
/// 3.1.1.3.2.1).
/// </summary>
internal sealed class SequenceTable(SequenceCodes codes)
{
    private readonly FseTable _predefined = FseTable.Predefined(codes);
    private readonly FseTable _own = new(codes.AccuracyLogMax);
    private FseTable? _current;

    /// <summary>The table of the present block.</summary>
    public FseTable Table => _current!;

    /// <summary>A new frame has no table that a block could repeat.</summary>
    public void Forget() => _current = null;

    /// <summary>Reads what <paramref name="mode"/> announces at <paramref name="at"/>, and moves past it.</summary>
    public void Read(TableMode mode, ReadOnlySpan<byte> source, ref int at, int end)
    {
        switch (mode)
        {
            case TableMode.Predefined:
                _current = _predefined;
                break;
            case TableMode.Rle:
                ReadSingle(source, ref at, end);
                break;
            case TableMode.Compressed:
                ReadDistribution(source, ref at, end);
                break;
            default:
                if (_current is null) Corrupt.Throw($"A zstd block wants a {codes.Name} table of a block before, and there is none", at);
                break;
        }
    }

    private void ReadSingle(ReadOnlySpan<byte> source, ref int at, int end)
    {
        if (at >= end) Corrupt.ThrowTruncated(at);
        int code = source[at++];
        if (code >= codes.Count) Corrupt.Throw($"A zstd {codes.Name} code is unknown", at - 1);
        _own.BuildSingle(codes.Baselines[code], codes.ExtraBits[code]);
        _current = _own;
    }

    private void ReadDistribution(ReadOnlySpan<byte> source, ref int at, int end)
    {
        // Until the new table stands there is none to repeat.
        _current = null;
        Span<short> counts = stackalloc short[codes.Count];
        var accuracyLog = FseDistribution.Read(source, ref at, end, counts, codes.AccuracyLogMax);
        _own.Build(counts, accuracyLog, codes.Baselines, codes.ExtraBits);
        _current = _own;
    }
}
