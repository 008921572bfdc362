using System.Collections.Concurrent;
using OrleansLog.Protocol;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Metadata;
using OrleansLog.Replication.Replicas;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Brokers;

/// <summary>
/// The replicas of one broker, in one life of it: takes the appends of leaders to them, and sees to it that partitions
/// whose leader is gone get another one. Any thread.
/// </summary>
/// <param name="ports">The world around.</param>
/// <param name="directory">The broker's data directory; a replica's lies in it under the partition's name.</param>
public sealed class BrokerReplicas(ReplicaPorts ports, string directory) : IAsyncDisposable
{
    // Each is a few writes to the register and the disk; more at once would not end sooner.
    private const int ElectionsAtOnceMax = 64;

    private readonly ConcurrentDictionary<TopicPartition, PartitionReplica> _replicas = new(StableOrder.Instance);
    private readonly ConcurrentDictionary<TopicPartition, bool> _elections = new();
    private readonly CancellationTokenSource _closing = new();
    private bool _isResigning;

    public IEnumerable<PartitionReplica> All => _replicas.Values;

    public PartitionReplica? Find(TopicPartition partition) => _replicas.GetValueOrDefault(partition);

    /// <summary>Opens the replica of a partition; the caller does so once for each.</summary>
    /// <exception cref="StorageException">Its files cannot be used.</exception>
    public async Task<PartitionReplica> OpenAsync(ReplicaDescription description)
    {
        var replica = await PartitionReplica.OpenAsync(description, directory, ports);
        replica.Repaired = () => CheckLeader(replica);
        _replicas[description.Id] = replica;
        return replica;
    }

    /// <summary>Closes a replica that this broker is not to have any more; its files stay.</summary>
    /// <exception cref="StorageException">It could not be closed cleanly.</exception>
    public async ValueTask CloseAsync(TopicPartition partition)
    {
        if (_replicas.TryRemove(partition, out var replica)) await replica.DisposeAsync();
    }

    /// <summary>Hands a leader's append to the replica.</summary>
    public ValueTask<AppendReply> HandleAppendAsync(AppendRequest request) =>
        Find(request.Partition) is { } replica ? replica.HandleAppendAsync(request) : new(Unknown());

    /// <summary>
    /// A partition's record is another one: a leader takes it over, or hands over if it is to go; who follows sees to it
    /// that there is a leader.
    /// </summary>
    /// <param name="partition">The partition.</param>
    /// <param name="record">Its record.</param>
    /// <param name="isOwnChange">Whether this broker wrote it.</param>
    public void OnRecordChanged(TopicPartition partition, PartitionRecord record, bool isOwnChange)
    {
        if (Find(partition) is not { } replica) return;
        if (!replica.IsLeader)
        {
            // What this broker has just won it is about to lead.
            if (!HasLeader(record) && !(isOwnChange && record.Leader == ports.Self.Id)) CheckLeader(replica);
            return;
        }

        if (!isOwnChange) replica.OnRecordChanged();
        if (Reassignment.MustHandOver(record, ports.Self.Id)) _ = HandOverAsync(replica);
    }

    /// <summary>
    /// Gives up every leadership that somebody else can take over, and takes no other: before a stop that clients should not
    /// notice.
    /// </summary>
    public async Task ResignAsync()
    {
        Volatile.Write(ref _isResigning, true);
        foreach (var replica in _replicas.Values.Where(replica => replica.IsLeader))
            await HandOverAsync(replica);
    }

    /// <summary>The engine thinks otherwise about a broker than before.</summary>
    public void OnBrokersChanged()
    {
        foreach (var replica in _replicas.Values) replica.OnBrokersChanged();
        CheckLeaders();
    }

    /// <summary>
    /// Looks at every partition: takes over those that need a leader, many side by side, and hands over those that are to be
    /// led elsewhere. To be called when brokers come and go, and now and then for what changed otherwise.
    /// </summary>
    public void CheckLeaders()
    {
        foreach (var replica in _replicas.Values)
        {
            var record = ports.Cluster.RecordOf(replica.Id);
            if (record is null || !HasLeader(record)) CheckLeader(replica);
            // It may have been elected when all was ready for the move to end.
            if (record is not null && replica.IsLeader && Reassignment.MustHandOver(record, ports.Self.Id)) _ = HandOverAsync(replica);
        }
    }

    private void CheckLeader(PartitionReplica replica)
    {
        if (!Volatile.Read(ref _isResigning) && !replica.IsLeader && !replica.IsFailed && _elections.TryAdd(replica.Id, true)) _ = CheckLeaderAsync(replica);
    }

    /// <summary>Takes the partitions back that this broker is the preferred leader of, where it is in sync.</summary>
    public Task LeadPreferredAsync() => LeadPreferredAsync(_replicas.Keys);

    /// <summary>As <see cref="LeadPreferredAsync()"/>, of some partitions.</summary>
    public async Task LeadPreferredAsync(IEnumerable<TopicPartition> partitions)
    {
        foreach (var some in partitions.Select(Find).OfType<PartitionReplica>().Where(MayPrefer).Chunk(ElectionsAtOnceMax))
            await Task.WhenAll(some.Select(LeadPreferredAsync));
    }

    /// <summary>
    /// Takes a partition over that nobody leads, even where committed records are lost with that. False when this broker
    /// cannot, or somebody leads.
    /// </summary>
    /// <exception cref="OperationCanceledException">The replicas are being closed.</exception>
    /// <exception cref="IOException">This broker's disk failed.</exception>
    public async Task<bool> LeadUncleanlyAsync(TopicPartition partition) =>
        Find(partition) is { IsLeader: false } replica
        && await ports.Register.ReadAsync(partition, _closing.Token) is { } current
        && !HasLeader(current.Record)
        && await replica.TryLeadAsync(current, mayLose: true);

    /// <summary>Closes every replica, side by side.</summary>
    /// <exception cref="StorageException">
    /// One of them could not be closed cleanly, or was being repaired: no checkpoint says where its log ends, so that the next
    /// start could not tell a lost end from one that was never flushed.
    /// </exception>
    public async ValueTask DisposeAsync()
    {
        _closing.Cancel();
        await Task.WhenAll(_replicas.Values.Select(replica => replica.DisposeAsync().AsTask()));
        if (_replicas.Values.FirstOrDefault(replica => replica.IsFailed) is { } failed)
            throw new StorageException($"{failed.Id} was closed while its disk had failed and it was not yet repaired");
    }

    private async Task CheckLeaderAsync(PartitionReplica replica)
    {
        try
        {
            var current = await ports.Register.ReadAsync(replica.Id, _closing.Token);
            if (current is null || replica.IsLeader || HasLeader(current.Record)) return;
            var claim = Election.ClaimOf(current.Record, ports.Self, replica.Options);
            if (claim == Election.Claim.None) return;
            await StandBackAsync(replica, current.Record, claim);
            if (!HasLeader(current.Record)) await replica.TryLeadAsync(current);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // Closing, or this broker's disk failed: the next check finds out.
        }
        finally
        {
            _elections.TryRemove(replica.Id, out _);
        }
    }

    private bool MayPrefer(PartitionReplica replica) =>
        !replica.IsLeader && !replica.IsFailed && (ports.Cluster.RecordOf(replica.Id) is not { } known || known.Replicas[0] == ports.Self.Id);

    private async Task LeadPreferredAsync(PartitionReplica replica)
    {
        if (!_elections.TryAdd(replica.Id, true)) return;
        try
        {
            if (await ports.Register.ReadAsync(replica.Id, _closing.Token) is not { } current || current.Record.Replicas[0] != ports.Self.Id) return;
            var claim = Election.ClaimOf(current.Record, ports.Self, replica.Options);
            if (claim is Election.Claim.InSync or Election.Claim.Rebuilt || current.Record.Replicas.Length == 1) await replica.TryLeadAsync(current);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // Closing, or this broker's disk failed: the next check finds out.
        }
        finally
        {
            _elections.TryRemove(replica.Id, out _);
        }
    }

    private Task StandBackAsync(PartitionReplica replica, PartitionRecord record, Election.Claim claim)
    {
        var rank = Election.RankOf(record, ports.Self, claim, ports.Cluster.IsAlive);
        return rank == 0
            ? Task.CompletedTask
            : Task.Delay(TimeSpan.FromMilliseconds(rank * replica.Options.ElectionStaggerMs), ports.Time, _closing.Token);
    }

    private static async Task HandOverAsync(PartitionReplica replica)
    {
        try
        {
            await replica.ResignAsync();
        }
        catch (OperationCanceledException)
        {
            // Closing: then it leads no more in any case.
        }
    }

    // A leader that has restarted since it was elected leads no more.
    private bool HasLeader(PartitionRecord record)
    {
        if (record.Leader == BrokerId.None || record.Leader == ports.Self.Id || record.FindInSync(record.Leader) is not { } leader) return false;
        return ports.Cluster.IsAlive(leader.Broker) && ports.Cluster.EpochOf(leader.Broker) <= leader.BrokerEpoch;
    }

    private AppendReply Unknown() => new()
    {
        Code = AppendCode.Unknown,
        LeaderEpoch = LeaderEpoch.None,
        Incarnation = new(ports.Self.Epoch, 0),
        CleanSince = ports.Self.CleanSince,
    };
}
