using OrleansLog.Client.Consuming;
using OrleansLog.Client.Metadata;
using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>
/// Reads partitions: those that its group gives it (<see cref="Subscribe(IEnumerable{string}, IRebalanceListener?)"/>)
/// or those that the application chooses (<see cref="Assign(IEnumerable{TopicPartition})"/>). It fetches ahead in the
/// background, within <see cref="ConsumerOptions.PrefetchBytesMax"/>. One reader at a time; every other member may be
/// called from any thread meanwhile.
/// </summary>
public partial class Consumer : IAsyncDisposable
{
    private readonly Cluster _cluster;
    private readonly Subscription _subscription = new();
    private readonly ReaderSignal _signal = new();
    private readonly FetchBuffer _buffer;
    private readonly Fetcher _fetcher;
    private readonly PositionFinder _finder;
    private readonly OffsetCommitter? _committer;
    private IMembership? _membership;
    private bool _isDisposed;

    internal Consumer(Cluster cluster, ConsumerOptions options)
    {
        (_cluster, Options) = (cluster, options);
        _buffer = new FetchBuffer(_signal);
        _fetcher = new Fetcher(cluster, options, _subscription, _buffer);
        _committer = options.GroupId is null ? null : new OffsetCommitter(cluster, options, _subscription, () => _membership);
        _finder = new PositionFinder(cluster, options, _subscription, _committer);
    }

    public ConsumerOptions Options { get; }

    /// <summary>Reads topics as a member of the group; replaces an earlier subscription.</summary>
    /// <exception cref="InvalidOperationException">There is no group id, or partitions are assigned by hand.</exception>
    public void Subscribe(IEnumerable<string> topics, IRebalanceListener? listener = null) => Subscribe([.. topics.Distinct()], null, listener);

    /// <summary>
    /// Reads all topics whose names match an expression as a whole, those that come into being later too, but for
    /// internal ones, as a member of the group; replaces an earlier subscription. The expression may not look around or
    /// refer back, so that matching takes time linear in a name. In <see cref="GroupProtocol.Consumer"/> the
    /// coordinator matches (KIP-848), else this member does when the group rebalances and whenever metadata is refreshed.
    /// </summary>
    /// <exception cref="ArgumentException">That is no such expression.</exception>
    /// <exception cref="InvalidOperationException">There is no group id, or partitions are assigned by hand.</exception>
    public void SubscribePattern(string pattern, IRebalanceListener? listener = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(pattern);
        TopicPattern.Check(pattern);
        Subscribe([], pattern, listener);
    }

    private void Subscribe(IReadOnlyList<string> topics, string? pattern, IRebalanceListener? listener)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (Options.GroupId is null) throw new InvalidOperationException("Subscribing needs a group: set ConsumerOptions.GroupId, or Assign partitions by hand.");
        if (_membership is null && _subscription.Partitions().Count > 0) throw new InvalidOperationException("Partitions are assigned by hand: unsubscribe first.");
        _subscription.Subscribe(topics, listener, pattern);
        if (_membership is null) _membership = NewMembership();
        else _membership.RequestJoin();
        _buffer.Interrupt();
    }

    /// <inheritdoc cref="Subscribe(IEnumerable{string}, IRebalanceListener?)"/>
    public void Subscribe(params string[] topics) => Subscribe(topics, null);

    /// <summary>
    /// Reads these partitions, without taking part in a group: from the committed offsets if there is a group id, else
    /// from where <see cref="ConsumerOptions.OffsetReset"/> says.
    /// </summary>
    public void Assign(IEnumerable<TopicPartition> partitions)
    {
        foreach (var state in ReplaceAssignment([.. partitions])) state.NeedsCommitted = true;
        _buffer.Interrupt();
    }

    /// <summary>Reads these partitions from these offsets.</summary>
    public void Assign(IEnumerable<TopicPartitionOffset> positions)
    {
        var all = positions.ToList();
        ReplaceAssignment(all.ConvertAll(position => position.Partition));
        foreach (var position in all)
            _subscription.Change([position.Partition], state => state.StartAt(position.Offset, position.LeaderEpoch));
        _buffer.Interrupt();
    }

    /// <summary>Gives up all partitions, and the membership in the group if there is one.</summary>
    public async ValueTask UnsubscribeAsync(CancellationToken cancellationToken = default)
    {
        await CommitAutomaticallyAsync(cancellationToken);
        if (Interlocked.Exchange(ref _membership, null) is { } membership) await membership.DisposeAsync();
        _subscription.Subscribe([], null);
        _subscription.Remove(_subscription.Partitions());
    }

    /// <summary>The partitions that are being read now.</summary>
    public IReadOnlyCollection<TopicPartition> Assignment => _subscription.Partitions();

    /// <summary>Reads on from this offset; what was fetched ahead is dropped.</summary>
    public void Seek(TopicPartition partition, Offset offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset.Value, nameof(offset));
        Change([partition], state => state.StartAt(offset, LeaderEpoch.None));
    }

    /// <summary>
    /// Reads on from what the group has committed, as after a transaction was aborted; of all partitions if none are given.
    /// </summary>
    public void SeekToCommitted(params IEnumerable<TopicPartition> partitions) => Change(partitions, state => state.StartAtCommitted());

    /// <summary>Reads on from the oldest records that are still there; of all partitions if none are given.</summary>
    public void SeekToBeginning(params IEnumerable<TopicPartition> partitions) =>
        Change(partitions, state => state.StartAt(OffsetSpec.Earliest));

    /// <summary>Reads on from the end, as it is when the next record is asked for; of all partitions if none are given.</summary>
    public void SeekToEnd(params IEnumerable<TopicPartition> partitions) =>
        Change(partitions, state => state.StartAt(OffsetSpec.Latest));

    /// <summary>Reads on from the first record at or after a time, or from the end if there is none; of all partitions if none are given.</summary>
    public async ValueTask SeekToTimestampAsync(DateTimeOffset time, IEnumerable<TopicPartition>? partitions = null, CancellationToken cancellationToken = default)
    {
        var wanted = (partitions ?? Assignment).ToDictionary(partition => partition, _ => OffsetSpec.AtTimestamp(time));
        var found = await OffsetLookup.FindAsync(_cluster, wanted, cancellationToken, Options.IsolationLevel);
        foreach (var (partition, listed) in found)
        {
            if (listed.Error != ErrorCode.None) throw FetchErrors.Explain(partition, -1, listed.Error);
            if (listed.Offset == Offset.None) SeekToEnd(partition);
            else Seek(partition, listed.Offset);
        }
    }

    /// <summary>Stops reading these partitions, or all if none are given, until <see cref="Resume"/>; their places in the group stay.</summary>
    public void Pause(params IEnumerable<TopicPartition> partitions) => Change(partitions, state =>
    {
        state.IsPaused = true;
        state.Drop();
    });

    /// <summary>Reads paused partitions, or all if none are given, on from where they stopped.</summary>
    public void Resume(params IEnumerable<TopicPartition> partitions) => Change(partitions, state => state.IsPaused = false);

    public IReadOnlyCollection<TopicPartition> Paused =>
        [.. _subscription.States().Where(state => state.IsPaused).Select(state => state.Partition)];

    /// <summary>The offset of the next record that will be handed out, or null if that is not decided yet.</summary>
    public Offset? Position(TopicPartition partition) =>
        _subscription.Get(partition) is { HasPosition: true } state ? new Offset(state.Position) : null;

    /// <summary>The positions of all partitions, as <see cref="Transaction.SendOffsetsAsync"/> takes them.</summary>
    public IReadOnlyCollection<TopicPartitionOffset> Positions =>
        [.. _subscription.States().Where(state => state.HasPosition)
            .Select(state => new TopicPartitionOffset(state.Partition, new Offset(state.Position)) { LeaderEpoch = state.LastEpoch })];

    /// <summary>Who this consumer is in its group now, as <see cref="Transaction.SendOffsetsAsync"/> takes it.</summary>
    /// <exception cref="InvalidOperationException">It has no group.</exception>
    public ConsumerGroupMetadata GroupMetadata
    {
        get
        {
            var member = _membership?.Holder ?? GroupMember.None;
            return new(Options.GroupId ?? throw new InvalidOperationException("There is no group: set ConsumerOptions.GroupId."), member.Generation, member.Id, member.InstanceId);
        }
    }

    /// <summary>How far the partition went when it was last fetched (its high watermark), or null before that.</summary>
    public Offset? HighWatermark(TopicPartition partition) =>
        _subscription.Get(partition) is { HighWatermark: >= 0 } state ? new Offset(state.HighWatermark) : null;

    /// <summary>Commits the positions of all partitions: everything handed out before, including the record or batch in hand.</summary>
    /// <exception cref="OrleansLogException">They were refused; after a rebalance because others read those partitions now.</exception>
    public async ValueTask CommitAsync(CancellationToken cancellationToken = default)
    {
        // Whoever commits what is in hand has finished with it.
        foreach (var state in _subscription.States()) state.Processed = state.Position;
        await Committer().CommitAsync(state => state.Processed, cancellationToken);
    }

    /// <summary>Commits these positions: each the offset of the next record to read, one past the last processed.</summary>
    /// <exception cref="OrleansLogException">They were refused; after a rebalance because others read those partitions now.</exception>
    public async ValueTask CommitAsync(IReadOnlyCollection<TopicPartitionOffset> positions, CancellationToken cancellationToken = default)
    {
        foreach (var position in positions)
        {
            if (_subscription.Find(position.Partition) is { } state) state.Processed = Math.Max(state.Processed, position.Offset.Value);
        }
        await Committer().CommitAsync(positions, cancellationToken);
    }

    /// <summary>What the group has committed of these partitions; those without a commit are left out.</summary>
    public async ValueTask<IReadOnlyList<TopicPartitionOffset>> CommittedAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken = default) =>
        await Committer().FetchAsync(partitions, cancellationToken);

    /// <summary>
    /// Commits if that is automatic, leaves the group, and stops fetching. A record or batch that the application still
    /// had in hand does not count as processed.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (Interlocked.Exchange(ref _isDisposed, true)) return;
        await CommitAutomaticallyAsync(CancellationToken.None);
        if (Interlocked.Exchange(ref _membership, null) is { } membership) await membership.DisposeAsync();
        _fetcher.Dispose();
        _subscription.Remove(_subscription.Partitions());
        _buffer.Interrupt();
        _committer?.Dispose();
    }

    private IMembership NewMembership() => Options.Protocol == GroupProtocol.Consumer
        ? new ConsumerMembership(_cluster, Options, _subscription, _buffer, CommitBeforeRebalanceAsync)
        : new Membership(_cluster, Options, _subscription, _buffer, CommitBeforeRebalanceAsync);

    private OffsetCommitter Committer() => _committer
        ?? throw new InvalidOperationException("Committing needs a group: set ConsumerOptions.GroupId.");

    private List<PartitionState> ReplaceAssignment(List<TopicPartition> partitions)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_membership is not null) throw new InvalidOperationException("The group assigns this consumer's partitions: unsubscribe first.");
        foreach (var topic in partitions.Select(partition => partition.Topic).Distinct()) _cluster.Metadata.Name(topic, allowCreation: false);
        return _subscription.Replace(partitions);
    }

    private void Change(IEnumerable<TopicPartition> partitions, Action<PartitionState> change)
    {
        _subscription.Change(partitions, change);
        _buffer.Interrupt();
        _fetcher.Pump();
    }

    private Task CommitBeforeRebalanceAsync(CancellationToken cancellationToken) => CommitAutomaticallyAsync(cancellationToken);

    private Task CommitAutomaticallyAsync(CancellationToken cancellationToken) =>
        _committer is not null && Options.Commit == CommitMode.AutoAtLeastOnce
            ? _committer.CommitQuietlyAsync(cancellationToken)
            : Task.CompletedTask;
}
