namespace OrleansLog.Compression.Zstd;

/// <summary>
/// Chooses the code lengths of a Huffman tree: Huffman's own algorithm over two sorted queues, then codes that came out
/// too long are shortened at the expense of the rarest others. Reusable.
/// </summary>
internal sealed class HuffmanLengths
{
    private const int SymbolsMax = HuffmanWeights.SymbolsMax;
    private const int LengthLimit = ZstdFormat.HuffmanBitsMax;

    // Leaves sorted by count, the count above the symbol; then the inner nodes, ascending by themselves.
    private readonly long[] _leaves = new long[SymbolsMax];
    private readonly long[] _counts = new long[2 * SymbolsMax];
    private readonly int[] _parents = new int[2 * SymbolsMax];
    private readonly int[] _depths = new int[2 * SymbolsMax];
    private readonly byte[] _lengths = new byte[SymbolsMax];

    /// <summary>By symbol; 0 for those that do not occur.</summary>
    public ReadOnlySpan<byte> Lengths => _lengths;

    public int LengthMax { get; private set; }

    /// <summary>Builds for a histogram in which two symbols or more occur.</summary>
    public void Build(ReadOnlySpan<int> histogram)
    {
        var leaves = SortLeaves(histogram);
        MakeTree(leaves.Length);
        Array.Clear(_lengths);
        var excess = -(1 << LengthLimit);
        for (var i = 0; i < leaves.Length; i++)
        {
            var length = Math.Min(_depths[i], LengthLimit);
            _lengths[SymbolOf(leaves[i])] = (byte)length;
            excess += 1 << (LengthLimit - length);
        }
        Repair(leaves, excess);
        LengthMax = Max(_lengths);
    }

    private Span<long> SortLeaves(ReadOnlySpan<int> histogram)
    {
        var count = 0;
        for (var symbol = 0; symbol < SymbolsMax; symbol++)
        {
            if (histogram[symbol] > 0) _leaves[count++] = ((long)histogram[symbol] << 8) | (uint)symbol;
        }
        var leaves = _leaves.AsSpan(0, count);
        leaves.Sort();
        return leaves;
    }

    /// <summary>Joins the two smallest nodes until one is left; then depths follow from the root down.</summary>
    private void MakeTree(int leaves)
    {
        for (var i = 0; i < leaves; i++) _counts[i] = _leaves[i] >> 8;
        int leaf = 0, inner = leaves;
        var root = 2 * leaves - 2;
        for (var node = leaves; node <= root; node++)
        {
            _counts[node] = TakeSmallest(node) + TakeSmallest(node);
        }
        _depths[root] = 0;
        for (var node = root - 1; node >= 0; node--) _depths[node] = _depths[_parents[node]] + 1;

        long TakeSmallest(int parent)
        {
            var isLeaf = leaf < leaves && (inner >= parent || _counts[leaf] <= _counts[inner]);
            var taken = isLeaf ? leaf++ : inner++;
            _parents[taken] = parent;
            return _counts[taken];
        }
    }

    /// <summary>
    /// Makes the code complete again, where <paramref name="excess"/> counts the codes of full length too many. Lengthens
    /// the longest codes that can be; if that frees too much, shortens others by what is over.
    /// </summary>
    private void Repair(ReadOnlySpan<long> leaves, int excess)
    {
        for (var length = LengthLimit - 1; excess > 0; length--)
        {
            for (var i = 0; i < leaves.Length && excess > 0; i++)
            {
                ref var code = ref _lengths[SymbolOf(leaves[i])];
                if (code != length) continue;
                code++;
                excess -= 1 << (LengthLimit - 1 - length);
            }
        }
        // What is missing is a multiple of the share of the longest codes, so that one of them always fits.
        while (excess < 0)
        {
            for (var i = leaves.Length - 1; i >= 0 && excess < 0; i--)
            {
                ref var code = ref _lengths[SymbolOf(leaves[i])];
                var share = 1 << (LengthLimit - code);
                if (share > -excess) continue;
                code--;
                excess += share;
            }
        }
    }

    private static int SymbolOf(long leaf) => (int)(leaf & 0xFF);

    private static byte Max(ReadOnlySpan<byte> lengths)
    {
        byte max = 0;
        foreach (var length in lengths) max = Math.Max(max, length);
        return max;
    }
}
