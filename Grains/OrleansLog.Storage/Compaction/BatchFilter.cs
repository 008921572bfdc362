using System.Buffers;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage.Compaction;

/// <summary>What one pass of a compaction goes by.</summary>
/// <param name="Start">Records before it are deleted.</param>
/// <param name="FirstDirty">Everything before was compacted already.</param>
/// <param name="End">Records from here on stay as they are.</param>
/// <param name="Dead">Which records are not the last of their key.</param>
/// <param name="Keys">The keys of what was not compacted yet, where <paramref name="Dead"/> says nothing of what was; else null.</param>
/// <param name="LastOfProducers">Batches by which a producer that is still remembered is known: they stay, if without records.</param>
/// <param name="Aborted">The aborted transactions that have records before the end.</param>
/// <param name="NowMs">The time, in milliseconds since 1970 UTC.</param>
/// <param name="DeleteRetentionMs">How long tombstones stay.</param>
internal sealed record FilterPlan(
    Offset Start, Offset FirstDirty, Offset End, DeadRecords Dead, KeySet? Keys, IReadOnlySet<Offset> LastOfProducers, IReadOnlyList<AbortedTransaction> Aborted,
    long NowMs, long DeleteRetentionMs)
{
    /// <summary>Whether <see cref="Keys"/> are to be asked for the records of a batch.</summary>
    public bool AsksFor(in RecordBatchHeader header) => Keys is not null && header.NextOffset <= FirstDirty;
}

/// <summary>
/// Decides of each batch what is left of it: the records that are the last of their key, and tombstones and the ends of
/// transactions for as long as they are needed (KIP-534). It is given the batches of a log from its start on, in order. One
/// caller at a time.
/// </summary>
internal sealed class BatchFilter(FilterPlan plan, BatchDecoder decoder, Func<CompressionType, IRecordCompressor?> compressors) : IDisposable
{
    private const int KeptBytesMax = 4 << 20;

    private readonly AbortedRecords _aborted = new(plan.Aborted);
    private readonly HashSet<long> _withRecords = [];
    private readonly PooledBufferWriter _records = new();
    private readonly PooledBufferWriter _batch = new();

    public long RecordsRemoved { get; private set; }

    /// <summary>Past the last tombstone or marker that was removed.</summary>
    public Offset RemovedBefore { get; private set; } = Offset.Zero;

    /// <summary>From when on every tombstone and marker that was kept may go; null when there is none.</summary>
    public long? LatestHorizonMs { get; private set; }

    /// <summary>The ends of transactions that were removed, since somebody took them last.</summary>
    public List<Offset> RemovedMarkers { get; } = [];

    /// <summary>Writes what is left of the next batch.</summary>
    public void Filter(in RecordBatchHeader header, ReadOnlySpan<byte> batch, CleanedSegmentWriter output)
    {
        if (header.NextOffset <= plan.Start) Drop(header, output);
        else if (header.BaseOffset >= plan.End) output.Write(batch, header.NextOffset);
        else if (header.RecordCount == 0) Keep(header, batch, output, plan.LastOfProducers.Contains(header.BaseOffset));
        else if (header.IsControl) FilterMarker(header, batch, output);
        else if (_aborted.Contains(header)) Drop(header, output);
        else if (!TryDecode(header, batch, out var records)) KeepData(header, batch, output);
        else FilterRecords(header, batch, records, output);
    }

    public void Dispose()
    {
        _records.Dispose();
        _batch.Dispose();
    }

    private bool TryDecode(in RecordBatchHeader header, ReadOnlySpan<byte> batch, out ReadOnlySpan<byte> records)
    {
        decoder.HashesKeys = plan.AsksFor(header);
        return decoder.TryDecode(header, batch, out records);
    }

    private void FilterMarker(in RecordBatchHeader header, ReadOnlySpan<byte> batch, CleanedSegmentWriter output)
    {
        var isNeeded = _withRecords.Remove(header.ProducerId) | plan.LastOfProducers.Contains(header.BaseOffset);
        if (isNeeded || header.NextOffset > plan.End || !EndTransactionMarker.TryRead(batch, out _) || !decoder.TryDecode(header, batch, out var records))
        {
            output.Write(batch, header.NextOffset);
        }
        else if (header.DeleteHorizonMs is not { } horizon)
        {
            Rewrite(header, records, isKept: static (_, _) => true, HorizonFromNow(), output);
        }
        else if (horizon > plan.NowMs)
        {
            NoteHorizon(horizon);
            output.Write(batch, header.NextOffset);
        }
        else
        {
            RemovedMarkers.Add(header.BaseOffset);
            RemovedBefore = header.NextOffset;
            Drop(header, output);
        }
    }

    private void FilterRecords(in RecordBatchHeader header, ReadOnlySpan<byte> batch, ReadOnlySpan<byte> records, CleanedSegmentWriter output)
    {
        var isExpired = header.DeleteHorizonMs <= plan.NowMs;
        var (kept, tombstones) = (0, 0);
        var keys = plan.AsksFor(header) ? plan.Keys : null;
        var places = decoder.Places;
        plan.Dead.MoveTo(header.BaseOffset);
        for (var i = 0; i < places.Length; i++)
        {
            if (i + KeySet.Ahead < places.Length) keys?.Prefetch(places[i + KeySet.Ahead].Key);
            ref var place = ref places[i];
            var isLast = IsLastOfKey(header.BaseOffset + place.OffsetDelta, place, keys);
            if (isLast && place.IsTombstone && isExpired) RemovedBefore = header.NextOffset;
            // What is not kept is known by its end from here on.
            if (!isLast || (place.IsTombstone && isExpired)) place.End = 0;
            else (kept, tombstones) = (kept + 1, tombstones + (place.IsTombstone ? 1 : 0));
        }

        RecordsRemoved += decoder.Places.Length - kept;
        var horizon = tombstones == 0 ? null : header.DeleteHorizonMs ?? (CanSetHorizon(header) ? HorizonFromNow() : null);
        if (horizon is { } known) NoteHorizon(known);
        if (kept == 0) Empty(header, output);
        else if (kept == decoder.Places.Length && horizon == header.DeleteHorizonMs) KeepData(header, batch, output);
        else Rewrite(header, records, isKept: static (_, place) => place.End > 0, horizon == header.DeleteHorizonMs ? null : horizon, output);
    }

    // All that it deletes is gone once this pass is over, and not before.
    private bool CanSetHorizon(in RecordBatchHeader header) => header.BaseOffset >= plan.FirstDirty && header.NextOffset <= plan.End;

    private bool IsLastOfKey(Offset offset, in RecordPlace place, KeySet? keys)
    {
        var isDead = plan.Dead.TakeNext();
        if (offset >= plan.End) return true;
        return offset >= plan.Start && place.HasKey && !isDead && keys?.Contains(place.Key) is not true;
    }

    private long HorizonFromNow()
    {
        var horizon = plan.DeleteRetentionMs > long.MaxValue - plan.NowMs ? long.MaxValue : plan.NowMs + plan.DeleteRetentionMs;
        NoteHorizon(horizon);
        return horizon;
    }

    private void NoteHorizon(long horizonMs) => LatestHorizonMs = Math.Max(LatestHorizonMs ?? horizonMs, horizonMs);

    private void KeepData(in RecordBatchHeader header, ReadOnlySpan<byte> batch, CleanedSegmentWriter output)
    {
        if (header.IsTransactional) _withRecords.Add(header.ProducerId);
        output.Write(batch, header.NextOffset);
    }

    private static void Keep(in RecordBatchHeader header, ReadOnlySpan<byte> batch, CleanedSegmentWriter output, bool isKept)
    {
        if (isKept) output.Write(batch, header.NextOffset);
        else output.Skip(header.NextOffset, header.PartitionLeaderEpoch);
    }

    private void Drop(in RecordBatchHeader header, CleanedSegmentWriter output)
    {
        if (!header.IsControl) RecordsRemoved += header.RecordCount;
        Empty(header, output);
    }

    private void Empty(in RecordBatchHeader header, CleanedSegmentWriter output)
    {
        if (header.IsControl || !plan.LastOfProducers.Contains(header.BaseOffset))
        {
            output.Skip(header.NextOffset, header.PartitionLeaderEpoch);
            return;
        }

        Span<byte> empty = stackalloc byte[EmptyBatch.Size];
        EmptyBatch.WriteInPlaceOf(empty, header);
        output.Write(empty, header.NextOffset);
    }

    // With another horizon, if one is given: the timestamps of all records count from it then.
    private void Rewrite(
        in RecordBatchHeader header, ReadOnlySpan<byte> records, Func<int, RecordPlace, bool> isKept, long? horizonMs, CleanedSegmentWriter output)
    {
        if (header.IsTransactional && !header.IsControl) _withRecords.Add(header.ProducerId);
        _records.Clear(KeptBytesMax);
        var (count, latest) = (0, RecordBatchHeader.NoTimestamp);
        foreach (ref readonly var place in decoder.Places)
        {
            if (!isKept(count, place)) continue;
            count++;
            latest = Math.Max(latest, header.BaseTimestamp + place.TimestampDelta);
            if (horizonMs is { } horizon) Copy(records, place, header.BaseTimestamp + place.TimestampDelta - horizon);
            else _records.Write(records[place.Start..place.End]);
        }

        var after = header with
        {
            RecordCount = count,
            MaxTimestamp = header.TimestampType == TimestampType.CreateTime ? latest : header.MaxTimestamp,
        };
        Complete(horizonMs is { } at ? after.WithDeleteHorizon(at) : after);
        output.Write(_batch.WrittenSpan, header.NextOffset);
    }

    private void Copy(ReadOnlySpan<byte> records, in RecordPlace place, long timestampDelta)
    {
        var rest = records[place.AfterTimestamp..place.End];
        var length = 1 + Varint.SizeOf(timestampDelta) + rest.Length;
        var destination = _records.GetSpan(Varint.MaxBytes32 + length);
        var at = Varint.Write(destination, length);
        // The attributes of a record, of which there are none, stand before its timestamp.
        destination[at++] = 0;
        at += Varint.Write(destination[at..], timestampDelta);
        rest.CopyTo(destination[at..]);
        _records.Advance(at + rest.Length);
    }

    private void Complete(in RecordBatchHeader header)
    {
        _batch.Clear(KeptBytesMax);
        _batch.GetSpan(RecordBatchHeader.Size);
        _batch.Advance(RecordBatchHeader.Size);
        if (header.Compression == CompressionType.None) _batch.Write(_records.WrittenSpan);
        else compressors(header.Compression)!.Compress(_records.WrittenSpan, _batch);
        RecordBatch.WriteHeader(_batch.WrittenSpan, header);
    }
}
