using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OrleansLog.Compression.Buffers;

namespace OrleansLog.Compression.Lz4;

/// <summary>LZ4 blocks, apart from the frames around them (LZ4 block format description).</summary>
internal static class Lz4Block
{
    private const int MatchLengthMin = 4;
    private const int NibbleMax = 15;
    private const int Step = 16;

    /// <summary>No byte of a block adds more than this to the output.</summary>
    public const int ExpansionMax = 255;

    /// <summary>
    /// Compresses <paramref name="block"/> into <paramref name="destination"/>; returns the size, or -1 if it does not fit.
    /// </summary>
    public static int Compress(GreedyMatcher matcher, ReadOnlySpan<byte> block, Span<byte> destination)
    {
        var writer = new Lz4BlockWriter(destination);
        var lastLiterals = matcher.Run(block, ref writer);
        return lastLiterals >= 0 && writer.TryAddLast(block[lastLiterals..]) ? writer.Length : -1;
    }

    /// <summary>
    /// Appends the bytes of the block in <paramref name="source"/>, at most <paramref name="sizeMax"/> of them.
    /// </summary>
    /// <param name="source">The block alone.</param>
    /// <param name="output">Takes the bytes; matches may reach back in it as far as <paramref name="historyStart"/>.</param>
    /// <param name="historyStart">The first byte of the output that belongs to this frame (or block, if independent).</param>
    /// <param name="sizeMax">The block size that the frame declares.</param>
    /// <param name="sourcePosition">Where the block lies in the caller's input, for messages.</param>
    public static void Decompress(
        ReadOnlySpan<byte> source, ref DecodedBuffer output, int historyStart, int sizeMax, int sourcePosition)
    {
        var limit = output.Reserve((int)Math.Min(sizeMax, (long)source.Length * ExpansionMax));
        ref var input = ref MemoryMarshal.GetReference(source);
        ref var origin = ref output.Origin;
        int at = 0, position = output.Length;
        while (at < source.Length)
        {
            // The token was inside the source; from here on each read is checked before it is made, and each write
            // stays below the limit, which the buffer's slack follows.
            int token = Unsafe.Add(ref input, at++);
            var literals = token >> 4;
            if (literals == NibbleMax) literals += ReadLength(source, ref at, limit, sourcePosition);
            if (literals > limit - position) Corrupt.ThrowTooLarge(sourcePosition + at);
            if (literals > source.Length - at) Corrupt.ThrowTruncated(sourcePosition + at);
            if (literals <= Step && at <= source.Length - Step)
                RawBytes.Copy16(ref Unsafe.Add(ref input, at), ref Unsafe.Add(ref origin, position));
            else
                source.Slice(at, literals).CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref origin, position), literals));
            at += literals;
            position += literals;
            if (at == source.Length)
            {
                output.AdvanceTo(position);
                return;
            }

            if (at + sizeof(ushort) > source.Length) Corrupt.ThrowTruncated(sourcePosition + at);
            var offset = BinaryPrimitives.ReadUInt16LittleEndian(source[at..]);
            at += sizeof(ushort);
            if (offset == 0 || offset > position - historyStart)
                Corrupt.Throw("An LZ4 match points before the start of its data", sourcePosition + at);
            var length = (token & NibbleMax) + MatchLengthMin;
            if (length == NibbleMax + MatchLengthMin) length += ReadLength(source, ref at, limit, sourcePosition);
            if (length > limit - position) Corrupt.ThrowTooLarge(sourcePosition + at);
            RawBytes.CopyMatch(ref origin, position, offset, length);
            position += length;
        }
        Corrupt.ThrowTruncated(sourcePosition + at);
    }

    private static int ReadLength(ReadOnlySpan<byte> source, ref int at, int max, int sourcePosition)
    {
        var length = 0;
        while (at < source.Length)
        {
            var part = source[at++];
            length += part;
            if (part != 255) return length;
            if (length > max) Corrupt.ThrowTooLarge(sourcePosition + at);
        }
        Corrupt.ThrowTruncated(sourcePosition + at);
        return 0;
    }
}
