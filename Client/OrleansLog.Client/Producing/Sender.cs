using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OrleansLog.Client.Metadata;
using OrleansLog.Client.Telemetry;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Producing;

/// <summary>
/// Takes batches from the partitions that are ready and sends them to their leaders. There is no thread of its own:
/// whoever makes a partition ready, or brings an answer, runs the pump, and one thread at a time does. So a lone record
/// leaves on the caller's thread, without a hand-over.
/// </summary>
internal sealed class Sender : IDisposable
{
    private readonly ProducerState _producer;
    private readonly ConcurrentQueue<PartitionQueue> _ready = new();
    private readonly ConcurrentQueue<ProduceCall> _landed = new();
    private readonly PriorityQueue<PartitionQueue, long> _delayed = new();
    private readonly Dictionary<BrokerId, BrokerLine> _lines = [];
    private readonly Queue<PartitionQueue> _unidentified = new();
    private bool _isIdentifying;
    private bool _hasIdentified;
    private readonly ITimer _timer;
    private int _pumpRequests;

    public Sender(ProducerState producer)
    {
        _producer = producer;
        _timer = producer.Cluster.Time.CreateTimer(
            static state => ((Sender)state!).Pump(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Looks at a partition soon: on this thread, unless another is pumping.</summary>
    public void Enqueue(PartitionQueue queue)
    {
        _ready.Enqueue(queue);
        Pump();
    }

    public void Dispose() => _timer.Dispose();

    private MetadataCache Metadata => _producer.Cluster.Metadata;

    // Whoever finds the pump running leaves a request, and the one who runs it goes round once more.
    private void Pump()
    {
        if (Interlocked.Increment(ref _pumpRequests) != 1) return;
        var served = 1;
        do
        {
            PumpOnce();
            served = Interlocked.Add(ref _pumpRequests, -served);
        }
        while (served != 0);
    }

    private void PumpOnce()
    {
        var nowMs = _producer.NowMs();
        while (_landed.TryDequeue(out var call)) Land(call, nowMs);
        if (Interlocked.Exchange(ref _hasIdentified, false)) EndIdentifying();
        while (_delayed.TryPeek(out var delayed, out var dueMs) && dueMs <= nowMs)
        {
            _delayed.Dequeue();
            _ready.Enqueue(delayed);
        }
        while (_ready.TryDequeue(out var queue)) Consider(queue, nowMs);
        foreach (var line in _lines.Values) Send(line);
        if (_delayed.TryPeek(out _, out var nextMs))
            _timer.Change(TimeSpan.FromMilliseconds(Math.Max(nextMs - nowMs, 1)), Timeout.InfiniteTimeSpan);
    }

    private void Consider(PartitionQueue queue, long nowMs)
    {
        if (_producer.Transactions?.Failure is { } failure)
        {
            GiveUpAll(queue, failure);
            return;
        }
        var leader = Metadata.View.Find(queue.Partition)?.Leader ?? BrokerId.None;
        if (leader == BrokerId.None)
        {
            WaitForLeader(queue, nowMs);
            return;
        }
        if (!_producer.Identities.IsKnown)
        {
            WaitForIdentity(queue, nowMs);
            return;
        }
        var line = LineTo(leader);
        // A request holds one batch of a partition at most.
        if (line.Batches.Exists(batch => batch.Queue == queue)) Send(line);
        if (line.RequestsInFlight >= _producer.Options.RequestsInFlightPerBrokerMax)
        {
            line.Waiting.Enqueue(queue);
            return;
        }
        var batch = queue.Take(nowMs, out var dueMs);
        if (batch is not null) Add(line, batch, nowMs);
        else if (dueMs != long.MaxValue) _delayed.Enqueue(queue, dueMs);
    }

    private void Add(BrokerLine line, ProducerBatch batch, long nowMs)
    {
        if (nowMs - batch.CreatedMs > _producer.Options.DeliveryTimeoutMs)
        {
            batch.Queue.Land(batch);
            GiveUp(batch, Expired(batch));
        }
        else
        {
            batch.Build(_producer.Compressor);
            line.Add(batch);
            if (line.Bytes >= _producer.Options.RequestBytesMax) Send(line);
        }
        batch.Queue.EnqueueIfAny();
    }

    private void WaitForLeader(PartitionQueue queue, long nowMs)
    {
        GiveUpExpired(queue, nowMs);
        Metadata.RefreshBehind();
        _delayed.Enqueue(queue, nowMs + _producer.Cluster.Options.RetryBackoffMs);
    }

    private void WaitForIdentity(PartitionQueue queue, long nowMs)
    {
        GiveUpExpired(queue, nowMs);
        _unidentified.Enqueue(queue);
        if (_isIdentifying) return;
        _isIdentifying = true;
        _ = IdentifyAsync();
    }

    private async Task IdentifyAsync()
    {
        if (!await _producer.Identities.TryAcquireAsync())
            await Task.Delay(TimeSpan.FromMilliseconds(_producer.Cluster.Options.RetryBackoffMs), _producer.Cluster.Time);
        Volatile.Write(ref _hasIdentified, true);
        Pump();
    }

    private void EndIdentifying()
    {
        _isIdentifying = false;
        while (_unidentified.TryDequeue(out var queue)) _ready.Enqueue(queue);
    }

    // What is left of a transaction that cannot be committed any more.
    private void GiveUpAll(PartitionQueue queue, OrleansLogException failure)
    {
        List<ProducerBatch> all = [];
        queue.TakeAll(all);
        foreach (var batch in all) GiveUp(batch, failure);
    }

    private void GiveUpExpired(PartitionQueue queue, long nowMs)
    {
        List<ProducerBatch> expired = [];
        queue.TakeExpired(nowMs - _producer.Options.DeliveryTimeoutMs, expired);
        foreach (var batch in expired) GiveUp(batch, Expired(batch));
    }

    private BrokerLine LineTo(BrokerId broker)
    {
        if (!_lines.TryGetValue(broker, out var line)) _lines[broker] = line = new BrokerLine(broker);
        return line;
    }

    private void Send(BrokerLine line)
    {
        if (line.Batches.Count == 0) return;
        line.RequestsInFlight++;
        var call = new ProduceCall(line, line.TakeBatches(), _producer.Options);
        foreach (var batch in call.Batches) batch.Attempts++;
        _ = SendAsync(call);
    }

    private async Task SendAsync(ProduceCall call)
    {
        var start = _producer.Cluster.Time.GetTimestamp();
        string? error = null;
        // For what is traced below: a request is part of the trace of its first record.
        if (ProducerTelemetry.IsTraced) Activity.Current = call.Batches.FirstOrDefault(batch => batch.Trace is not null)?.Trace;
        try
        {
            using var frame = await _producer.Cluster.Transport.SendAsync(call.Line.Broker, Lane.Produce, call, CancellationToken.None);
            call.Read(frame);
        }
        catch (OrleansLogException e)
        {
            error = e.ErrorCode.ToString();
            call.FailAll(e);
        }
        catch (Exception e)
        {
            error = e.GetType().Name;
            var code = e is MalformedMessageException ? ErrorCode.CorruptMessage : ErrorCode.UnknownServerError;
            call.FailAll(new OrleansLogException(code, $"A produce request to broker {call.Line.Broker} failed: {e.Message}", e));
        }
        ClientTelemetry.Measure("send", call.Line.Broker, _producer.Cluster.Time, start, error);
        for (var i = 0; i < call.Batches.Count; i++) Report(call.Batches[i], call.Results[i]);
        _landed.Enqueue(call);
        Metadata.RefreshIfOld();
        Pump();
    }

    // Told before the partition goes on, so that reports of one partition come in order.
    private void Report(ProducerBatch batch, BatchResult result)
    {
        if (result.Error != ErrorCode.None) return;
        batch.Succeed(result.BaseOffset, result.LogAppendTimeMs);
        Announce(new DeliveryReport(batch.Queue.Partition, result.BaseOffset, batch.RecordCount, null));
    }

    private void Land(ProduceCall call, long nowMs)
    {
        var line = call.Line;
        line.RequestsInFlight--;
        while (line.Waiting.TryDequeue(out var waiting)) _ready.Enqueue(waiting);
        for (var i = 0; i < call.Batches.Count; i++)
        {
            var batch = call.Batches[i];
            Land(batch, call.Results[i], nowMs);
            batch.Queue.EnqueueIfAny();
        }
    }

    private void Land(ProducerBatch batch, BatchResult result, long nowMs)
    {
        if (result.Error == ErrorCode.None)
        {
            batch.Queue.Land(batch);
            _producer.Release(batch);
            return;
        }
        if (result.NewLeader is var (leader, epoch)) Metadata.LearnLeader(batch.Queue.Partition, leader, epoch);
        if (result.Error == ErrorCode.MessageTooLarge && batch.RecordCount > 1) Split(batch);
        else if (MayRetry(batch, result.Error) && !EndsTransaction(batch, result.Error) && nowMs - batch.CreatedMs <= _producer.Options.DeliveryTimeoutMs) Retry(batch, result, nowMs);
        else
        {
            batch.Queue.Land(batch);
            GiveUp(batch, Failed(batch, result));
        }
    }

    private void Retry(ProducerBatch batch, BatchResult result, long nowMs)
    {
        var waitMs = result.NewLeader is null ? (long)Backoff.MsAfter(batch.Attempts - 1, _producer.Cluster.Options) : 0;
        _producer.Cluster.Logger.LogDebug("{Partition} answered {Error}; retrying in {WaitMs} ms.", batch.Queue.Partition, result.Error, waitMs);
        Metadata.RefreshBehind();
        batch.MayBeStored |= !IsOfNumbers(result.Error) && !ProduceErrors.IsBeforeAppend(result.Error);
        if (IsOfNumbers(result.Error) && !batch.MayBeStored && batch.Queue.IsFirst(batch)) BeginEpoch(batch, result.Error);
        batch.Queue.PutBack([batch], batch, nowMs + waitMs);
    }

    // What comes before a batch that is out of order may just not be there yet. But before the first one that is not
    // acknowledged nothing is on its way: the broker has lost, or was never sent, what it misses. Only a batch that is stored
    // nowhere may be numbered anew; where that is not known, a leader that lags behind may be the one that misses something.
    private void BeginEpoch(ProducerBatch batch, ErrorCode error)
    {
        _producer.Cluster.Logger.LogWarning(
            "{Partition} answered {Error} to the first record that is not acknowledged; they are numbered anew.", batch.Queue.Partition, error);
        batch.Queue.BeginEpoch();
    }

    private void Split(ProducerBatch batch)
    {
        var parts = BatchSplitter.Split(batch, _producer);
        _ = batch.SettleWithAsync(parts);
        batch.Queue.PutBack(parts, batch, 0);
        _producer.Release(batch);
    }

    // Within a transaction nothing is numbered anew: it is aborted, and the next one begins with new numbers.
    private bool EndsTransaction(ProducerBatch batch, ErrorCode error) =>
        _producer.Transactions is { } transactions
        && (transactions.Failure is not null
            || error == ErrorCode.InvalidProducerEpoch
            || (IsOfNumbers(error) && !batch.MayBeStored && batch.Queue.IsFirst(batch)));

    private void GiveUp(ProducerBatch batch, OrleansLogException error)
    {
        _producer.Transactions?.Fail(error);
        batch.Fail(error);
        Announce(new DeliveryReport(batch.Queue.Partition, Offset.None, batch.RecordCount, error));
        _producer.Release(batch);
    }

    private void Announce(DeliveryReport report)
    {
        ProducerTelemetry.CountSent(report);
        try
        {
            _producer.Options.OnDelivery?.Invoke(report);
        }
        catch (Exception e)
        {
            _producer.Cluster.Logger.LogError(e, "The application's OnDelivery failed for a batch of {Partition}; its records are unaffected.", report.Partition);
        }
    }

    private static bool MayRetry(ProducerBatch batch, ErrorCode error) =>
        error.IsRetriable() || error == ErrorCode.BrokerNotAvailable || (batch.Identity != ProducerIdentity.None && IsOfNumbers(error));

    private static bool IsOfNumbers(ErrorCode error) =>
        error is ErrorCode.OutOfOrderSequenceNumber or ErrorCode.UnknownProducerId or ErrorCode.InvalidProducerEpoch;

    private OrleansLogException Expired(ProducerBatch batch) => new(ErrorCode.RequestTimedOut,
        $"{batch.RecordCount} records for {batch.Queue.Partition} were not acknowledged within {_producer.Options.DeliveryTimeoutMs} ms ({batch.Attempts} attempts). Check that the partition has a leader, or raise DeliveryTimeoutMs.");

    private static OrleansLogException Failed(ProducerBatch batch, BatchResult result) => new(result.Error,
        $"{batch.RecordCount} records for {batch.Queue.Partition} were refused with {result.Error} after {batch.Attempts} attempts: {result.Message ?? ProduceErrors.Advice(result.Error)}");
}
