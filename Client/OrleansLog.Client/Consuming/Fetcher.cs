using Microsoft.Extensions.Logging;
using OrleansLog.Client.Metadata;
using OrleansLog.Client.Telemetry;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Consuming;

/// <summary>
/// Fetches ahead of the reader. To each broker there are two ways: while one fetch waits for partitions that have
/// nothing new, the other serves those that have. Whatever may allow another fetch (an answer, a read batch, a seek)
/// runs the pump.
/// </summary>
internal sealed class Fetcher : IDisposable
{
    private readonly Cluster _cluster;
    private readonly ConsumerOptions _options;
    private readonly Subscription _subscription;
    private readonly FetchBuffer _buffer;
    private readonly Lane[] _lanes = [Lane.Open(), Lane.Open()];
    private readonly Dictionary<BrokerId, FetchLine[]> _lines = [];
    private readonly ITimer _timer;
    private bool _isRunning;
    private int _pumpRequests;

    public Fetcher(Cluster cluster, ConsumerOptions options, Subscription subscription, FetchBuffer buffer)
    {
        (_cluster, _options, _subscription, _buffer) = (cluster, options, subscription, buffer);
        cluster.Metadata.Refreshed += OnMetadata;
        _timer = cluster.Time.CreateTimer(static state => ((Fetcher)state!).Pump(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Begins to fetch; until then nothing is asked for.</summary>
    public void Start()
    {
        if (Volatile.Read(ref _isRunning)) return;
        Volatile.Write(ref _isRunning, true);
        Pump();
    }

    /// <summary>
    /// Sends every fetch that can be sent now. Whoever finds the pump running leaves a request, and the one who runs it
    /// goes round once more.
    /// </summary>
    public void Pump()
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

    public void Dispose()
    {
        Volatile.Write(ref _isRunning, false);
        _cluster.Metadata.Refreshed -= OnMetadata;
        _timer.Dispose();
        foreach (var lane in _lanes) _cluster.Transport.CloseLane(lane);
    }

    private void PumpOnce()
    {
        if (!Volatile.Read(ref _isRunning)) return;
        List<FetchCall> calls = [];
        lock (_subscription.Gate) Collect(calls);
        foreach (var call in calls) _ = FetchAsync(call);
    }

    private void OnMetadata() => _ = PumpSoonAsync();

    // Not at once, by whoever refreshed: it may be inside this very pump.
    private async Task PumpSoonAsync()
    {
        await Task.Yield();
        Pump();
    }

    private void Collect(List<FetchCall> calls)
    {
        if (_buffer.Bytes >= _options.PrefetchBytesMax) return;
        var nowMs = NowMs();
        var isLeaderMissing = false;
        var soonestMs = long.MaxValue;
        Dictionary<BrokerId, List<FetchTarget>> targets = [];
        foreach (var state in _subscription.States())
        {
            if (!WantsMore(state)) continue;
            if (state.DelayedUntilMs > nowMs)
            {
                soonestMs = Math.Min(soonestMs, state.DelayedUntilMs);
                continue;
            }
            var broker = BrokerOf(state, out var target);
            if (broker != BrokerId.None) (targets.TryGetValue(broker, out var some) ? some : targets[broker] = []).Add(target);
            else isLeaderMissing = true;
        }
        foreach (var (broker, wanted) in targets)
        {
            if (FreeLine(broker) is not { } line) continue;
            line.IsBusy = true;
            foreach (var target in wanted) target.State.IsFetching = true;
            calls.Add(new FetchCall(line, wanted, _options));
        }
        if (isLeaderMissing)
        {
            _cluster.Metadata.RefreshBehind();
            soonestMs = Math.Min(soonestMs, nowMs + _cluster.Options.RetryBackoffMs);
        }
        if (soonestMs != long.MaxValue) _timer.Change(TimeSpan.FromMilliseconds(soonestMs - nowMs), Timeout.InfiniteTimeSpan);
    }

    private bool WantsMore(PartitionState state) =>
        state.FetchOffset >= 0 && !state.IsPaused && !state.IsFetching && state.BufferedBytes < 2L * _options.PartitionFetchBytesMax;

    private BrokerId BrokerOf(PartitionState state, out FetchTarget target)
    {
        var view = _cluster.Metadata.View;
        var partition = view.Find(state.Partition);
        var topicId = partition is null ? Guid.Empty : view.Topics[state.Partition.Topic].Id;
        target = new FetchTarget(state, state.Version, state.FetchOffset, topicId, partition?.LeaderEpoch ?? LeaderEpoch.None);
        if (partition is null) return BrokerId.None;
        if (state.NearReplica != BrokerId.None && NowMs() >= state.NearReplicaUntilMs) state.ReadFromLeader();
        if (state.NearReplica == BrokerId.None) return partition.Leader;
        if (CanRead(state.NearReplica, partition, view)) return state.NearReplica;
        GoBack(target);
        return BrokerId.None;
    }

    private static bool CanRead(BrokerId replica, PartitionView partition, ClusterView view) =>
        partition.Replicas.Contains(replica) && !partition.Offline.Contains(replica) && view.Brokers.Any(broker => broker.Id == replica);

    private FetchLine? FreeLine(BrokerId broker)
    {
        if (!_lines.TryGetValue(broker, out var lines))
            _lines[broker] = lines = [.. _lanes.Select(lane => new FetchLine(broker, lane))];
        return Array.Find(lines, line => !line.IsBusy);
    }

    private async Task FetchAsync(FetchCall call)
    {
        var start = _cluster.Time.GetTimestamp();
        string? error = null;
        try
        {
            using var frame = await _cluster.Transport.SendAsync(call.Line.Broker, call.Line.Lane, call, CancellationToken.None);
            Take(call, FetchCall.Read(frame), frame);
        }
        catch (Exception e) when (e is OrleansLogException or MalformedMessageException or ObjectDisposedException)
        {
            if (!Volatile.Read(ref _isRunning)) return;
            error = (e as OrleansLogException)?.ErrorCode.ToString() ?? e.GetType().Name;
            _cluster.Logger.LogDebug(e, "A fetch from broker {Broker} failed; its partitions are fetched again shortly.", call.Line.Broker);
            _cluster.Metadata.RefreshBehind();
            lock (_subscription.Gate)
            {
                foreach (var target in call.Targets) GoBack(target);
            }
            if (e is OrleansLogException { ErrorCode: ErrorCode.UnsupportedVersion } fatal) _buffer.Fail(fatal);
        }
        finally
        {
            lock (_subscription.Gate)
            {
                call.Line.IsBusy = false;
                foreach (var target in call.Targets.Where(IsCurrent)) target.State.IsFetching = false;
            }
        }
        ClientTelemetry.Measure("poll", call.Line.Broker, _cluster.Time, start, error);
        _cluster.Metadata.RefreshIfOld();
        Pump();
    }

    private void Take(FetchCall call, FetchResponse response, ResponseFrame frame)
    {
        lock (_subscription.Gate)
        {
            if (response.ErrorCode != ErrorCode.None)
            {
                foreach (var target in call.Targets) Delay(target);
                return;
            }
            foreach (var topic in response.Responses)
            {
                foreach (var partition in topic.Partitions)
                {
                    if (call.FindTarget(topic, partition.PartitionIndex) is { } target && IsCurrent(target)) Take(target, partition, frame);
                }
            }
        }
    }

    private static bool IsCurrent(FetchTarget target) => target.State.Version == target.Version;

    private void Take(FetchTarget target, FetchResponse.PartitionData partition, ResponseFrame frame)
    {
        var state = target.State;
        if (partition.ErrorCode != ErrorCode.None)
        {
            TakeError(target, partition);
            return;
        }
        if (partition.PreferredReadReplica < 0) state.Failures = 0;
        state.HighWatermark = partition.HighWatermark;
        if (partition.PreferredReadReplica >= 0)
            state.ReadNear(new BrokerId(partition.PreferredReadReplica), NowMs() + _cluster.Options.MetadataAgeMsMax);
        var records = partition.Records ?? default;
        var bytes = BatchWalk.WholeBytes(records.Span, out var nextOffset);
        if (bytes == 0)
        {
            if (BatchWalk.IsOldFormat(records.Span)) Fail(target, FetchErrors.OldFormat(state.Partition, target.Offset));
            return;
        }
        state.FetchOffset = nextOffset.Value;
        state.BufferedBytes += bytes;
        frame.Retain();
        _buffer.Add(new FetchedBatch(state, target.Version, new Offset(target.Offset), nextOffset, records[..bytes], frame, partition.HighWatermark)
        {
            Aborted = AbortedRecords.Of(partition.AbortedTransactions),
        });
    }

    private void TakeError(FetchTarget target, FetchResponse.PartitionData partition)
    {
        var state = target.State;
        if (partition.CurrentLeader is { LeaderId: >= 0 } leader)
            _cluster.Metadata.LearnLeader(state.Partition, new BrokerId(leader.LeaderId), new LeaderEpoch(leader.LeaderEpoch));
        // A follower may be behind, damaged or no follower any more: what counts is what the leader says.
        if (state.NearReplica != BrokerId.None) GoBack(target);
        else if (partition.ErrorCode == ErrorCode.OffsetOutOfRange) LoseTheWay(target, partition);
        else if (partition.CurrentLeader is { LeaderId: >= 0 }) Delay(target);
        else if (partition.ErrorCode.IsRetriable() && partition.ErrorCode != ErrorCode.CorruptMessage) Delay(target);
        else Fail(target, FetchErrors.Explain(state.Partition, target.Offset, partition.ErrorCode));
        if (partition.ErrorCode is not ErrorCode.OffsetOutOfRange) _cluster.Metadata.RefreshBehind();
    }

    private void LoseTheWay(FetchTarget target, FetchResponse.PartitionData partition)
    {
        if (_options.OffsetReset == OffsetReset.None)
        {
            Fail(target, FetchErrors.Explain(target.State.Partition, target.Offset, partition.ErrorCode));
            return;
        }
        _cluster.Logger.LogWarning("{Partition} has no offset {Offset}; reading goes on at the {Reset} one.", target.State.Partition, target.Offset, _options.OffsetReset);
        target.State.StartAt(_options.OffsetReset == OffsetReset.Earliest ? OffsetSpec.Earliest : OffsetSpec.Latest);
        _buffer.Interrupt();
    }

    // Not fetched again at once: it would fail again, until the application seeks elsewhere.
    private void Fail(FetchTarget target, OrleansLogException failure)
    {
        Delay(target);
        _buffer.Fail(failure);
    }

    // After a wait: a leader that keeps naming a replica that keeps failing must not make this spin.
    private void GoBack(FetchTarget target)
    {
        if (IsCurrent(target)) target.State.ReadFromLeader();
        Delay(target);
    }

    private void Delay(FetchTarget target)
    {
        if (!IsCurrent(target)) return;
        target.State.DelayedUntilMs = NowMs() + (long)Backoff.MsAfter(target.State.Failures++, _cluster.Options);
    }

    private long NowMs() => _cluster.Time.MonotonicMs();
}
