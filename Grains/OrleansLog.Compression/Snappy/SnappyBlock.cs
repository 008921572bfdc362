using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OrleansLog.Compression.Buffers;

namespace OrleansLog.Compression.Snappy;

/// <summary>Raw snappy blocks (Snappy compressed format description). Pure functions.</summary>
internal static class SnappyBlock
{
    /// <summary>No element yields more than 64 bytes for three of its own, so a longer claim is a lie.</summary>
    private const int ExpansionMax = 22;

    private const int PreambleSizeMax = 5;
    private const int Step = 16;

    /// <summary>Compresses one block of at most 64 KiB; the destination holds <see cref="SnappyBlockWriter.SizeMax"/>.</summary>
    public static int Compress(GreedyMatcher matcher, ReadOnlySpan<byte> block, Span<byte> destination)
    {
        var writer = new SnappyBlockWriter(destination);
        writer.AddPreamble(block.Length);
        var lastLiterals = matcher.Run(block, ref writer);
        writer.AddLiterals(block[lastLiterals..]);
        return writer.Length;
    }

    /// <summary>Appends the bytes of the block in <paramref name="source"/>.</summary>
    /// <param name="source">The block alone.</param>
    /// <param name="output">Takes the bytes.</param>
    /// <param name="sourcePosition">Where the block lies in the caller's input, for messages.</param>
    public static void Decompress(ReadOnlySpan<byte> source, ref DecodedBuffer output, int sourcePosition)
    {
        var at = 0;
        var length = ReadPreamble(source, ref at, sourcePosition);
        if (length > output.Remaining || length > (long)ExpansionMax * source.Length) Corrupt.ThrowTooLarge(sourcePosition);
        var start = output.Length;
        var limit = output.Reserve((int)length);
        ref var input = ref MemoryMarshal.GetReference(source);
        ref var origin = ref output.Origin;
        var position = start;
        while (at < source.Length)
        {
            // The tag lies inside the source; every later read is checked before it is made, and every write stays
            // below the limit, which the buffer's slack follows.
            int tag = Unsafe.Add(ref input, at++);
            if ((tag & 3) == 0)
            {
                var count = ReadLiteralLength(source, tag, ref at, sourcePosition);
                if (count > limit - position) Corrupt.ThrowTooLarge(sourcePosition + at);
                if (count > source.Length - at) Corrupt.ThrowTruncated(sourcePosition + at);
                var literals = (int)count;
                if (literals <= Step && at <= source.Length - Step)
                    RawBytes.Copy16(ref Unsafe.Add(ref input, at), ref Unsafe.Add(ref origin, position));
                else
                    source.Slice(at, literals)
                        .CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.Add(ref origin, position), literals));
                at += literals;
                position += literals;
                continue;
            }
            var offset = ReadCopy(source, tag, ref at, out var copied, sourcePosition);
            if (offset == 0 || offset > (uint)(position - start))
                Corrupt.Throw("A snappy copy points before the start of its block", sourcePosition + at);
            if (copied > limit - position) Corrupt.ThrowTooLarge(sourcePosition + at);
            RawBytes.CopyMatch(ref origin, position, (int)offset, copied);
            position += copied;
        }
        if (position != limit) Corrupt.ThrowTruncated(sourcePosition + at);
        output.AdvanceTo(position);
    }

    private static long ReadPreamble(ReadOnlySpan<byte> source, ref int at, int sourcePosition)
    {
        long length = 0;
        for (; at < Math.Min(PreambleSizeMax, source.Length);)
        {
            var part = source[at];
            length |= (long)(part & 0x7F) << (7 * at++);
            if (part < 0x80) return length;
        }
        return Corrupt.Throw<long>("The snappy block has no readable length", sourcePosition);
    }

    private static long ReadLiteralLength(ReadOnlySpan<byte> source, int tag, ref int at, int sourcePosition)
    {
        var code = tag >> 2;
        return code < 60 ? code + 1 : ReadNumber(source, code - 59, ref at, sourcePosition) + 1L;
    }

    private static uint ReadCopy(ReadOnlySpan<byte> source, int tag, ref int at, out int length, int sourcePosition)
    {
        if ((tag & 3) == 1)
        {
            length = ((tag >> 2) & 7) + 4;
            return (uint)((tag >> 5) << 8) | ReadNumber(source, 1, ref at, sourcePosition);
        }
        length = (tag >> 2) + 1;
        return ReadNumber(source, (tag & 3) == 2 ? 2 : 4, ref at, sourcePosition);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint ReadNumber(ReadOnlySpan<byte> source, int bytes, ref int at, int sourcePosition)
    {
        if (source.Length - at >= sizeof(uint))
        {
            var whole = BinaryPrimitives.ReadUInt32LittleEndian(source[at..]);
            at += bytes;
            return whole & (uint.MaxValue >> (32 - 8 * bytes));
        }
        if (source.Length - at < bytes) Corrupt.ThrowTruncated(sourcePosition + at);
        uint value = 0;
        for (var i = 0; i < bytes; i++) value |= (uint)source[at++] << (8 * i);
        return value;
    }
}
