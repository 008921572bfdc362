namespace OrleansLog.Compression.Zstd;

/// <summary>Writes the sequences section of a block (RFC 8878, section 3.1.1.3.2). Reusable.</summary>
internal sealed class SequencesEncoder
{
    private const int OneByteCountEnd = 128, TwoByteCountEnd = 0x7F00;

    private readonly SequenceTableWriter _literalsLengths = new(SequenceCodes.LiteralsLength);
    private readonly SequenceTableWriter _matchLengths = new(SequenceCodes.MatchLength);
    private readonly SequenceTableWriter _offsets = new(SequenceCodes.Offset);

    private readonly byte[] _literalsCodes = new byte[ZstdFormat.BlockSizeMax / SequenceStore.MatchLengthMin];
    private readonly byte[] _matchCodes = new byte[ZstdFormat.BlockSizeMax / SequenceStore.MatchLengthMin];
    private readonly byte[] _offsetCodes = new byte[ZstdFormat.BlockSizeMax / SequenceStore.MatchLengthMin];

    /// <summary>Writes the section; returns its size, or -1 if it does not fit.</summary>
    public int Encode(ReadOnlySpan<Sequence> sequences, Span<byte> destination)
    {
        if (destination.Length < 4) return -1;
        var at = WriteCount(sequences.Length, destination);
        if (sequences.IsEmpty) return at;
        AssignCodes(sequences);
        _literalsLengths.Choose(_literalsCodes.AsSpan(0, sequences.Length));
        _offsets.Choose(_offsetCodes.AsSpan(0, sequences.Length));
        _matchLengths.Choose(_matchCodes.AsSpan(0, sequences.Length));
        destination[at++] =
            (byte)(((int)_literalsLengths.Mode << 6) | ((int)_offsets.Mode << 4) | ((int)_matchLengths.Mode << 2));
        foreach (var table in (ReadOnlySpan<SequenceTableWriter>)[_literalsLengths, _offsets, _matchLengths])
        {
            if (!table.Description.TryCopyTo(destination[at..])) return -1;
            at += table.Description.Length;
        }
        var size = WriteStream(sequences, destination[at..]);
        return size < 0 ? -1 : at + size;
    }

    private static int WriteCount(int count, Span<byte> destination)
    {
        if (count < OneByteCountEnd)
        {
            destination[0] = (byte)count;
            return 1;
        }
        if (count < TwoByteCountEnd)
        {
            destination[0] = (byte)((count >> 8) + 128);
            destination[1] = (byte)count;
            return 2;
        }
        destination[0] = byte.MaxValue;
        destination[1] = (byte)(count - TwoByteCountEnd);
        destination[2] = (byte)((count - TwoByteCountEnd) >> 8);
        return 3;
    }

    private void AssignCodes(ReadOnlySpan<Sequence> sequences)
    {
        for (var i = 0; i < sequences.Length; i++)
        {
            _literalsCodes[i] = (byte)SequenceCodes.LiteralsLengthCode(sequences[i].LiteralsLength);
            _matchCodes[i] = (byte)SequenceCodes.MatchLengthCode(sequences[i].MatchLength);
            _offsetCodes[i] = (byte)SequenceCodes.OffsetCode(sequences[i].OffsetValue);
        }
    }

    /// <summary>From the last sequence to the first, since the decoder reads from the other end.</summary>
    private int WriteStream(ReadOnlySpan<Sequence> sequences, Span<byte> destination)
    {
        var writer = new BitWriter(destination);
        FseEncoder literals = _literalsLengths.Encoder, matches = _matchLengths.Encoder, offsets = _offsets.Encoder;
        var i = sequences.Length - 1;
        var literalsState = literals.Start(_literalsCodes[i]);
        var matchState = matches.Start(_matchCodes[i]);
        var offsetState = offsets.Start(_offsetCodes[i]);
        WriteExtraBits(ref writer, sequences[i], i);
        while (--i >= 0)
        {
            offsetState = offsets.Encode(ref writer, offsetState, _offsetCodes[i]);
            matchState = matches.Encode(ref writer, matchState, _matchCodes[i]);
            literalsState = literals.Encode(ref writer, literalsState, _literalsCodes[i]);
            writer.Flush();
            WriteExtraBits(ref writer, sequences[i], i);
        }
        matches.Finish(ref writer, matchState);
        offsets.Finish(ref writer, offsetState);
        literals.Finish(ref writer, literalsState);
        return writer.Close();
    }

    private void WriteExtraBits(ref BitWriter writer, Sequence sequence, int i)
    {
        AddRest(ref writer, SequenceCodes.LiteralsLength, _literalsCodes[i], (uint)sequence.LiteralsLength);
        AddRest(ref writer, SequenceCodes.MatchLength, _matchCodes[i], (uint)sequence.MatchLength);
        writer.Flush();
        AddRest(ref writer, SequenceCodes.Offset, _offsetCodes[i], sequence.OffsetValue);
        writer.Flush();
    }

    private static void AddRest(ref BitWriter writer, SequenceCodes codes, int code, uint number) =>
        writer.Add(number - codes.Baselines[code], codes.ExtraBits[code]);
}
