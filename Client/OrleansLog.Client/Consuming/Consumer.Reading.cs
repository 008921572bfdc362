using OrleansLog.Client.Consuming;
using OrleansLog.Client.Telemetry;
using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>The reader's side: what hands out batches.</summary>
public partial class Consumer
{
    private readonly PooledBufferWriter _unpacked = new();
    private FetchedBatch? _inHand;
    private bool _isReading;

    /// <summary>
    /// Reads what fetches bring, as it comes: each item holds all whole batches that one fetch returned of one
    /// partition. An item belongs to the client again when the next is asked for; so do the bytes of its records.
    /// Ends only by cancellation (<see cref="OperationCanceledException"/>) or error.
    /// </summary>
    public IAsyncEnumerable<FetchedBatch> ConsumeBatchesAsync(CancellationToken cancellationToken = default) =>
        new BatchReader(this, cancellationToken);

    /// <summary>Whether something has to be done before reading on.</summary>
    internal bool IsInterrupted => _buffer.IsInterrupted;

    internal FetchedBatch? InHand => _inHand;

    /// <summary>Takes the place of the one reader.</summary>
    internal void BeginReading()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (Interlocked.Exchange(ref _isReading, true))
            throw new InvalidOperationException("The consumer is being read already: one reader at a time. Use one consumer per loop.");
        _committer?.StartInterval();
        _fetcher.Start();
    }

    internal void EndReading() => Volatile.Write(ref _isReading, false);

    /// <summary>Marks the batch in hand as finished and waits for the next.</summary>
    internal async ValueTask<FetchedBatch> NextAsync(CancellationToken cancellationToken)
    {
        FinishInHand();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            await AttendAsync(cancellationToken);
            if (_buffer.Take() is not { } batch)
            {
                await _signal.WaitAsync(cancellationToken);
                continue;
            }
            if (!batch.IsCurrent)
            {
                Release(batch);
                continue;
            }
            _inHand = batch.For(Options, _unpacked);
            if (Options.Commit == CommitMode.AutoAtMostOnce) await CommitAheadAsync(batch, cancellationToken);
            return batch;
        }
    }

    /// <summary>Does what is due on the reader's turn: rebalances, the application's callbacks, positions to find, errors to tell.</summary>
    internal async ValueTask AttendAsync(CancellationToken cancellationToken)
    {
        _buffer.TakeInterruption();
        if (_membership is { } membership)
        {
            membership.NotePoll();
            membership.IsReaderWaiting = true;
            try
            {
                if (membership.NeedsReader) await membership.UpdateAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // The next read goes on with it.
                _buffer.Interrupt();
                throw;
            }
        }
        if (await _finder.FindAsync(cancellationToken)) _fetcher.Pump();
    }

    /// <summary>The application has finished with what it was given, and has the rest of the batch to come.</summary>
    internal void NoteHandedOut()
    {
        if (_membership is { } membership) membership.IsReaderWaiting = false;
    }

    private void FinishInHand()
    {
        if (_inHand is not { } batch) return;
        _inHand = null;
        if (batch.IsCurrent)
        {
            batch.State.Position = batch.NextOffset.Value;
            batch.State.Processed = batch.NextOffset.Value;
        }
        Release(batch);
    }

    private void Release(FetchedBatch batch)
    {
        if (!batch.TryRelease()) return;
        _buffer.Release(batch);
        lock (_subscription.Gate)
        {
            if (batch.IsCurrent) batch.State.BufferedBytes -= batch.SizeInBytes;
        }
        _fetcher.Pump();
    }

    private async Task CommitAheadAsync(FetchedBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            await Committer().CommitAsync([new TopicPartitionOffset(batch.Partition, batch.NextOffset)], cancellationToken);
        }
        catch (OrleansLogException e) when (GroupErrors.MeansJoinAgain(e.ErrorCode))
        {
            // Others read the partition now; the batch is not ours to hand out.
            lock (_subscription.Gate) batch.State.Drop();
            if (_membership is { } membership) membership.Hear(membership.Member, e.ErrorCode);
        }
    }

    private sealed class BatchReader(Consumer consumer, CancellationToken cancellationToken) : IAsyncEnumerable<FetchedBatch>
    {
        public async IAsyncEnumerator<FetchedBatch> GetAsyncEnumerator(CancellationToken other = default)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, other);
            consumer.BeginReading();
            try
            {
                while (true)
                {
                    var batch = await consumer.NextAsync(either.Token);
                    if (!batch.IsCurrent) continue;
                    batch.State.Position = batch.NextOffset.Value;
                    consumer.NoteHandedOut();
                    ConsumerTelemetry.CountConsumed(consumer.Options, batch, batch.NextOffset - batch.BaseOffset);
                    yield return batch;
                }
            }
            finally
            {
                consumer.EndReading();
            }
        }
    }
}
