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
    private readonly ConcurrentDictionary<TopicPartition, PartitionReplica> _replicas = new();
    private readonly ConcurrentDictionary<TopicPartition, bool> _elections = new();
    private readonly CancellationTokenSource _closing = new();

    public IEnumerable<PartitionReplica> All => _replicas.Values;

    public PartitionReplica? Find(TopicPartition partition) => _replicas.GetValueOrDefault(partition);

    /// <summary>Opens the replica of a partition; the caller does so once for each.</summary>
    /// <exception cref="StorageException">Its files cannot be used.</exception>
    public async Task<PartitionReplica> OpenAsync(TopicPartition partition, ReplicationOptions options, LogOptions logOptions)
    {
        var replica = await PartitionReplica.OpenAsync(partition, $"{directory}/{partition}", options, logOptions, ports);
        _replicas[partition] = replica;
        return replica;
    }

    /// <summary>Hands a leader's append to the replica.</summary>
    public ValueTask<AppendReply> HandleAppendAsync(AppendRequest request) =>
        Find(request.Partition) is { } replica ? replica.HandleAppendAsync(request) : new(Unknown());

    /// <summary>The engine thinks otherwise about a broker than before.</summary>
    public void OnBrokersChanged()
    {
        foreach (var replica in _replicas.Values) replica.OnBrokersChanged();
        CheckLeaders();
    }

    /// <summary>
    /// Looks at every partition and takes over those that need a leader, many side by side. To be called when brokers come
    /// and go, and now and then for what changed otherwise.
    /// </summary>
    public void CheckLeaders()
    {
        foreach (var replica in _replicas.Values)
            if (!replica.IsLeader && !replica.IsFailed && _elections.TryAdd(replica.Id, true)) _ = CheckLeaderAsync(replica);
    }

    /// <summary>Takes the partitions back that this broker is the preferred leader of, where it is in sync.</summary>
    public async Task LeadPreferredAsync()
    {
        foreach (var replica in _replicas.Values)
        {
            if (replica.IsLeader || replica.IsFailed) continue;
            if (await ports.Register.ReadAsync(replica.Id, _closing.Token) is not { } current) continue;
            var isMine = current.Record.Replicas[0] == ports.Self.Id;
            if (isMine && Election.ClaimOf(current.Record, ports.Self, replica.Options) == Election.Claim.InSync)
                await replica.TryLeadAsync(current);
        }
    }

    /// <summary>Closes every replica, side by side.</summary>
    /// <exception cref="StorageException">One of them could not be closed cleanly.</exception>
    public async ValueTask DisposeAsync()
    {
        _closing.Cancel();
        await Task.WhenAll(_replicas.Values.Select(replica => replica.DisposeAsync().AsTask()));
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

    private Task StandBackAsync(PartitionReplica replica, PartitionRecord record, Election.Claim claim)
    {
        var rank = Election.RankOf(record, ports.Self, claim, ports.Cluster.IsAlive);
        return rank == 0
            ? Task.CompletedTask
            : Task.Delay(TimeSpan.FromMilliseconds(rank * replica.Options.ElectionStaggerMs), ports.Time, _closing.Token);
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
