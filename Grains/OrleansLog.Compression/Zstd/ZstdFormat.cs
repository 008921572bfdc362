namespace OrleansLog.Compression.Zstd;

/// <summary>Numbers that both directions of zstd share (RFC 8878).</summary>
internal static class ZstdFormat
{
    /// <summary>Opens a frame (section 3.1.1).</summary>
    public const uint Magic = 0xFD2FB528;

    /// <summary>Frames with these magics hold no records and are passed over; the lowest 4 bits are free (section 3.1.2).</summary>
    public const uint SkippableMagic = 0x184D2A50;

    /// <summary>No block holds more than this, before and after compression (section 3.1.1.2.4).</summary>
    public const int BlockSizeMax = 128 * 1024;

    public const int BlockHeaderSize = 3;

    /// <summary>The longest Huffman code, in bits (section 4.2.1).</summary>
    public const int HuffmanBitsMax = 11;

    /// <summary>The shortest match that a sequence can express.</summary>
    public const int MatchLengthMin = 3;

    /// <summary>How many offsets back a sequence may name instead of giving an offset.</summary>
    public const int RepeatOffsets = 3;
}

/// <summary>What a block holds (section 3.1.1.2.2).</summary>
internal enum BlockType
{
    Raw = 0,
    Rle = 1,
    Compressed = 2,
}

/// <summary>How a literals section is written (section 3.1.1.3.1.1).</summary>
internal enum LiteralsType
{
    Raw = 0,
    Rle = 1,
    Compressed = 2,

    /// <summary>Huffman-coded by the tree of the literals before.</summary>
    Treeless = 3,
}

/// <summary>Where the FSE table of one part of the sequences comes from (section 3.1.1.3.2.1).</summary>
internal enum TableMode
{
    Predefined = 0,
    Rle = 1,
    Compressed = 2,
    Repeat = 3,
}
