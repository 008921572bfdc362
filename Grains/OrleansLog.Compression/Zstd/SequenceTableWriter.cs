namespace OrleansLog.Compression.Zstd;

/// <summary>
/// Chooses, for one of the three numbers of a block's sequences, the table that makes the block smallest, and writes its
/// description (RFC 8878, section 3.1.1.3.2.1). Reusable.
/// </summary>
internal sealed class SequenceTableWriter
{
    /// <summary>Fewer sequences do not earn a table of their own.</summary>
    private const int OwnTableCountMin = 24;

    /// <summary>Room for any description: at most 9 bits a symbol.</summary>
    private const int DescriptionSizeMax = 96;

    private readonly SequenceCodes _codes;
    private readonly FseEncoder _predefined;
    private readonly FseEncoder _own;
    private readonly int[] _histogram;
    private readonly short[] _counts;
    private readonly byte[] _description = new byte[DescriptionSizeMax];
    private int _descriptionSize;

    public SequenceTableWriter(SequenceCodes codes)
    {
        _codes = codes;
        _predefined = new(codes.PredefinedLog, codes.Count);
        _predefined.Build(codes.Predefined, codes.PredefinedLog);
        _own = new(codes.AccuracyLogMax, codes.Count);
        _histogram = new int[codes.Count];
        _counts = new short[codes.Count];
        Encoder = _predefined;
    }

    /// <summary>The table chosen.</summary>
    public FseEncoder Encoder { get; private set; }

    public TableMode Mode { get; private set; }

    /// <summary>What the block has to say about the table.</summary>
    public ReadOnlySpan<byte> Description => _description.AsSpan(0, _descriptionSize);

    /// <summary>Chooses the table for a block's <paramref name="symbols"/>.</summary>
    public void Choose(ReadOnlySpan<byte> symbols)
    {
        Array.Clear(_histogram);
        foreach (var symbol in symbols) _histogram[symbol]++;
        var predefinedCost = FseNormalizer.Cost(_histogram, _codes.Predefined, _codes.PredefinedLog);
        if (_histogram[symbols[0]] == symbols.Length && symbols.Length > 2) ChooseSingle(symbols[0]);
        else if ((symbols.Length >= OwnTableCountMin || predefinedCost == long.MaxValue)
            && TryChooseOwn(symbols.Length, predefinedCost)) return;
        else Use(TableMode.Predefined, _predefined, 0);
    }

    private void ChooseSingle(byte symbol)
    {
        _own.BuildSingle(symbol);
        _description[0] = symbol;
        Use(TableMode.Rle, _own, 1);
    }

    private bool TryChooseOwn(int total, long predefinedCost)
    {
        var symbols = _histogram.Length - _histogram.AsSpan().Count(0);
        var accuracyLog = FseNormalizer.AccuracyLogFor(total, symbols, _codes.AccuracyLogMax);
        FseNormalizer.Normalize(_histogram, total, accuracyLog, _counts);
        var size = FseNormalizer.Write(_counts, accuracyLog, _description);
        var cost = FseNormalizer.Cost(_histogram, _counts, accuracyLog) + ((long)size * 8 << FseNormalizer.CostShift);
        if (cost >= predefinedCost) return false;
        _own.Build(_counts, accuracyLog);
        Use(TableMode.Compressed, _own, size);
        return true;
    }

    private void Use(TableMode mode, FseEncoder encoder, int descriptionSize)
    {
        Mode = mode;
        Encoder = encoder;
        _descriptionSize = descriptionSize;
    }
}
