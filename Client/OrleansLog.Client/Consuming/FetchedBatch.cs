using OrleansLog.Client.Consuming;
using OrleansLog.Client.Transport;
using OrleansLog.Compression;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client;

/// <summary>
/// All that one fetch brought of one partition: one or more record batches. Valid until the next one is asked for, and
/// so are the records that <c>foreach</c> over it shows, without allocating any. One thread at a time.
/// </summary>
public sealed class FetchedBatch
{
    private readonly PartitionState _state;
    private readonly int _version;
    private readonly ReadOnlyMemory<byte> _records;
    private readonly ResponseFrame _frame;
    private ConsumerOptions _options = null!;
    private PooledBufferWriter _unpacked = null!;
    private bool _isReleased;

    internal FetchedBatch(
        PartitionState state, int version, Offset from, Offset next, ReadOnlyMemory<byte> records, ResponseFrame frame, long highWatermark)
    {
        (_state, _version, _records, _frame) = (state, version, records, frame);
        (BaseOffset, NextOffset, HighWatermark) = (from, next, new Offset(highWatermark));
    }

    public TopicPartition Partition => _state.Partition;

    /// <summary>The first offset that may be in it: where the reader was.</summary>
    public Offset BaseOffset { get; }

    /// <summary>One past the last offset in it: the position to commit when all of it is processed.</summary>
    public Offset NextOffset { get; }

    /// <summary>The end of the partition, as readers see it, when this was fetched.</summary>
    public Offset HighWatermark { get; }

    /// <summary>Its size as fetched, in bytes.</summary>
    public int SizeInBytes => _records.Length;

    /// <summary>Whether it may still be handed out: no seek, pause or rebalance has overtaken it.</summary>
    internal bool IsCurrent => _state.Version == _version;

    internal PartitionState State => _state;

    /// <summary>What of it belongs to aborted transactions; null if nothing does.</summary>
    internal AbortedRecords? Aborted { get; init; }

    /// <summary>Readies it for its reader.</summary>
    /// <param name="options">The reader's.</param>
    /// <param name="unpacked">Where to unpack: the reader's own, which holds one record batch at a time.</param>
    internal FetchedBatch For(ConsumerOptions options, PooledBufferWriter unpacked)
    {
        (_options, _unpacked) = (options, unpacked);
        return this;
    }

    /// <summary>Walks the records.</summary>
    /// <exception cref="OrleansLogException">A batch is damaged; the records before it were shown.</exception>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Opens the next record batch that holds anything to hand out.</summary>
    /// <param name="position">Where to look, in bytes; moves past the batch.</param>
    /// <param name="header">Its header.</param>
    /// <param name="records">Its records, unpacked; valid until the next call.</param>
    internal bool TryOpen(ref int position, out RecordBatchHeader header, out ReadOnlyMemory<byte> records)
    {
        ObjectDisposedException.ThrowIf(_isReleased, this);
        if (position == 0) Aborted?.Restart();
        while (position < _records.Length)
        {
            var batch = ReadHeader(position, out header);
            position += batch.Length;
            if (Aborted?.Contains(header) == true) continue;
            if (header.IsControl || header.LastOffset < BaseOffset) continue;
            _state.LastEpoch = header.PartitionLeaderEpoch;
            records = Unpack(header, batch[RecordBatchHeader.Size..]);
            return true;
        }
        (header, records) = (default, default);
        return false;
    }

    /// <summary>Gives its memory back. Once is enough.</summary>
    internal bool TryRelease()
    {
        if (Interlocked.Exchange(ref _isReleased, true)) return false;
        _frame.Dispose();
        return true;
    }

    private ReadOnlyMemory<byte> ReadHeader(int position, out RecordBatchHeader header)
    {
        var error = RecordBatchHeader.TryRead(_records.Span[position..], out header);
        var batch = error == ErrorCode.None && header.SizeInBytes <= _records.Length - position ? _records.Slice(position, header.SizeInBytes) : default;
        if (batch.IsEmpty) throw FetchErrors.Damaged(Partition, BaseOffset, "its header makes no sense");
        if (_options.CheckCrcs && RecordBatch.CheckIntegrity(batch.Span) != ErrorCode.None)
            throw FetchErrors.Damaged(Partition, header.BaseOffset, "its CRC does not match");
        return batch;
    }

    private ReadOnlyMemory<byte> Unpack(in RecordBatchHeader header, ReadOnlyMemory<byte> records)
    {
        if (header.Compression == CompressionType.None) return records;
        _unpacked.Clear();
        try
        {
            CompressionCodecs.For(header.Compression).Decompress(records.Span, _unpacked, _options.DecompressedBatchBytesMax);
        }
        catch (CorruptRecordException e)
        {
            throw FetchErrors.Damaged(Partition, header.BaseOffset, e.Message, e);
        }
        return _unpacked.WrittenMemory;
    }

    /// <summary>Walks the records of a <see cref="FetchedBatch"/>.</summary>
    public ref struct Enumerator
    {
        private readonly FetchedBatch _fetched;
        private RecordReader _reader;
        private int _position;

        internal Enumerator(FetchedBatch fetched) => _fetched = fetched;

        /// <summary>The record; its bytes are the batch's.</summary>
        public RecordView Current { get; private set; }

        public bool MoveNext()
        {
            while (true)
            {
                while (TryRead(out var record))
                {
                    if (record.Offset < _fetched.BaseOffset) continue;
                    Current = record;
                    return true;
                }
                if (!_fetched.TryOpen(ref _position, out var header, out var records)) return false;
                _reader = new RecordReader(header, records.Span);
            }
        }

        private bool TryRead(out RecordView record)
        {
            try
            {
                return _reader.TryRead(out record);
            }
            catch (CorruptRecordException e)
            {
                throw FetchErrors.Damaged(_fetched.Partition, _fetched.BaseOffset, e.Message, e);
            }
        }
    }
}
