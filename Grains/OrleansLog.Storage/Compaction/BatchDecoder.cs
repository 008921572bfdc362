using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage.Compaction;

/// <summary>Where one record lies among those of its batch, and what compaction has to know of it.</summary>
internal struct RecordPlace
{
    public int Start;
    public int End;
    public int AfterTimestamp;
    public int OffsetDelta;
    public long TimestampDelta;
    public bool HasKey;
    public bool IsTombstone;
    public KeyHash Key;
}

/// <summary>
/// Takes batches apart, one after another. It owns the memory of the batch that it was given last. One caller at a time.
/// </summary>
/// <param name="compressors">Opens compressed batches, as far as it knows their codec.</param>
/// <param name="hasher">Makes the hashes of keys.</param>
internal sealed class BatchDecoder(Func<CompressionType, IRecordCompressor?> compressors, KeyHasher hasher) : IDisposable
{
    private const int DecompressedBytesMax = 128 << 20;
    private const int KeptBytesMax = 4 << 20;

    private readonly PooledBufferWriter _decompressed = new();
    private RecordPlace[] _places = new RecordPlace[64];
    private int _count;

    /// <summary>Whether the hashes of keys are wanted.</summary>
    public bool HashesKeys { get; set; } = true;

    public Span<RecordPlace> Places => _places.AsSpan(0, _count);

    /// <summary>
    /// Finds the records of a batch. False for one that cannot be read, though its CRC holds: the codec is not known here, or its
    /// producer wrote what is no record.
    /// </summary>
    public bool TryDecode(in RecordBatchHeader header, ReadOnlySpan<byte> batch, out ReadOnlySpan<byte> records)
    {
        _count = 0;
        records = batch[RecordBatchHeader.Size..];
        try
        {
            if (header.Compression != CompressionType.None)
            {
                if (compressors(header.Compression) is not { } compressor) return false;
                _decompressed.Clear(KeptBytesMax);
                compressor.Decompress(records, _decompressed, DecompressedBytesMax);
                records = _decompressed.WrittenSpan;
            }

            FindRecords(header, records);
            return true;
        }
        catch (CorruptRecordException)
        {
            return false;
        }
    }

    public void Dispose() => _decompressed.Dispose();

    private void FindRecords(in RecordBatchHeader header, ReadOnlySpan<byte> records)
    {
        var slicer = new RecordSlicer(records, header.RecordCount);
        while (slicer.MoveNext())
        {
            if ((uint)slicer.OffsetDelta > (uint)header.LastOffsetDelta)
                throw new CorruptRecordException($"A record has the offset delta {slicer.OffsetDelta} in a batch that ends at {header.LastOffsetDelta}", slicer.Start);
            if (_count == _places.Length) Array.Resize(ref _places, 2 * _count);
            ref var place = ref _places[_count++];
            (place.Start, place.End, place.AfterTimestamp) = (slicer.Start, slicer.End, slicer.AfterTimestamp);
            (place.OffsetDelta, place.TimestampDelta) = (slicer.OffsetDelta, slicer.TimestampDelta);
            place.HasKey = slicer.KeyLength >= 0;
            place.IsTombstone = slicer.ValueIsNull;
            place.Key = place.HasKey && HashesKeys ? hasher.Hash(records.Slice(slicer.KeyStart, slicer.KeyLength)) : default;
        }
    }
}
