using System.Buffers.Binary;
using OrleansLog.Compression.Buffers;
using OrleansLog.Compression.Hashing;

namespace OrleansLog.Compression.Lz4;

/// <summary>Reads LZ4 frames, one after the other (LZ4 frame format description 1.6). Lives for one call.</summary>
internal ref struct Lz4FrameReader(ReadOnlySpan<byte> source)
{
    private const uint UncompressedFlag = 0x80000000;

    private readonly ReadOnlySpan<byte> _source = source;
    private int _at = 0;

    /// <summary>Appends the content of every frame.</summary>
    public void ReadAll(ref DecodedBuffer output)
    {
        do
        {
            var magic = ReadUInt32();
            if (magic == Lz4FrameHeader.Magic) ReadFrame(ref output);
            else if ((magic & 0xFFFFFFF0) == Lz4FrameHeader.SkippableMagic) Take(ReadUInt32());
            else Corrupt.Throw("There is no LZ4 frame", _at - sizeof(uint));
        }
        while (_at < _source.Length);
    }

    private void ReadFrame(ref DecodedBuffer output)
    {
        var header = Lz4FrameHeader.Read(_source, ref _at);
        var start = output.Length;
        while (ReadUInt32() is var size && size != 0) ReadBlock(header, size, start, ref output);
        if (header.ContentSize is { } expected && expected != output.Length - start)
            Corrupt.Throw("The LZ4 frame does not hold as many bytes as it declares", _at);
        if (header.HasContentChecksum) Check(output.Written[start..], "frame");
    }

    private void ReadBlock(Lz4FrameHeader header, uint sizeField, int frameStart, ref DecodedBuffer output)
    {
        var position = _at;
        var block = Take(sizeField & ~UncompressedFlag);
        if (block.Length > header.BlockSizeMax) Corrupt.ThrowTooLarge(position);
        if (header.HasBlockChecksums) Check(block, "block");
        if ((sizeField & UncompressedFlag) != 0)
            block.CopyTo(output.Append(block.Length, position));
        else
            Lz4Block.Decompress(
                block, ref output, header.BlocksAreIndependent ? output.Length : frameStart, header.BlockSizeMax, position);
    }

    private void Check(ReadOnlySpan<byte> data, string what)
    {
        if (ReadUInt32() != XxHash32.Compute(data)) Corrupt.Throw($"The LZ4 {what} has a wrong checksum", _at - sizeof(uint));
    }

    private uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    private ReadOnlySpan<byte> Take(uint count)
    {
        if (count > (uint)(_source.Length - _at)) Corrupt.ThrowTruncated(_source.Length);
        var taken = _source.Slice(_at, (int)count);
        _at += (int)count;
        return taken;
    }
}
