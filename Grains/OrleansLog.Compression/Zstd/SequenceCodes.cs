using System.Numerics;

namespace OrleansLog.Compression.Zstd;

/// <summary>
/// One of the three numbers of a sequence - literals length, match length, offset - as codes with extra bits, and the
/// limits and predefined distribution of their FSE table (RFC 8878, sections 3.1.1.3.2.1.1 and 3.1.1.3.2.2).
/// </summary>
internal sealed class SequenceCodes
{
    public static readonly SequenceCodes LiteralsLength = new("literals length", 9, 6, LiteralsBits(), 0,
        [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1]);

    public static readonly SequenceCodes MatchLength = new("match length", 9, 6, MatchBits(), ZstdFormat.MatchLengthMin,
        [1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
            1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1]);

    public static readonly SequenceCodes Offset = new("offset", 8, 5, [.. Enumerable.Range(0, 32).Select(i => (byte)i)], 1,
        [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1]);

    private static readonly byte[] LiteralsCodeOfShort = CodesBelow(64, LiteralsLength);
    private static readonly byte[] MatchCodeOfShort = CodesBelow(128, MatchLength);

    private SequenceCodes(string name, int accuracyLogMax, int predefinedLog, byte[] extraBits, uint first, short[] predefined)
    {
        Name = name;
        AccuracyLogMax = accuracyLogMax;
        PredefinedLog = predefinedLog;
        ExtraBits = extraBits;
        Predefined = predefined;
        Baselines = new uint[extraBits.Length];
        for (var (code, next) = (0, (ulong)first); code < extraBits.Length; next += 1ul << extraBits[code++])
            Baselines[code] = (uint)next;
    }

    /// <summary>For messages.</summary>
    public string Name { get; }

    /// <summary>The largest table that a block may describe, as a power of two.</summary>
    public int AccuracyLogMax { get; }

    public int PredefinedLog { get; }

    /// <summary>The predefined distribution; -1 stands for a probability below one.</summary>
    public short[] Predefined { get; }

    /// <summary>The smallest number of each code.</summary>
    public uint[] Baselines { get; }

    /// <summary>The bits that follow each code and add to its baseline.</summary>
    public byte[] ExtraBits { get; }

    /// <summary>The number of codes.</summary>
    public int Count => ExtraBits.Length;

    public static int LiteralsLengthCode(int length) =>
        length < 64 ? LiteralsCodeOfShort[length] : BitOperations.Log2((uint)length) + 19;

    public static int MatchLengthCode(int length) => length < 128 + ZstdFormat.MatchLengthMin
        ? MatchCodeOfShort[length - ZstdFormat.MatchLengthMin]
        : BitOperations.Log2((uint)(length - ZstdFormat.MatchLengthMin)) + 36;

    public static int OffsetCode(uint offsetValue) => BitOperations.Log2(offsetValue);

    private static byte[] LiteralsBits() => [.. new byte[16], 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    private static byte[] MatchBits() =>
        [.. new byte[32], 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    private static byte[] CodesBelow(int end, SequenceCodes codes)
    {
        var result = new byte[end];
        for (int value = 0, code = 0; value < end; value++)
        {
            while (code + 1 < codes.Count && codes.Baselines[code + 1] - codes.Baselines[0] <= value) code++;
            result[value] = (byte)code;
        }
        return result;
    }
}
