using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.ShareStates;

/// <summary>
/// The share-partitions whose state this broker keeps: those whose partition of <c>__share_group_state</c> it leads (KIP-932).
/// The engine elects it for a partition and has it resign, as with groups. Nothing is answered before it is committed.
/// Any thread.
/// </summary>
public sealed partial class ShareCoordinator(ShareOptions options, SharePorts ports)
{
    /// <summary>The internal topic that holds the states.</summary>
    public const string TopicName = "__share_group_state";

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<int, Election> _elections = [];

    private sealed record Election(LeaderEpoch Epoch, ShardRuntime<ShareStateShard> Runtime);

    /// <summary>The partition of <see cref="TopicName"/> that holds a share-partition; found by the form in which clients name it.</summary>
    public static int PartitionFor(SharePartitionKey key, int partitionCount) => GroupCoordinator.PartitionFor(key.ToString(), partitionCount);

    /// <summary>
    /// Takes over a partition that this broker has come to lead. An election with a lower epoch than an earlier one changes
    /// nothing. Throws what the reader throws.
    /// </summary>
    public async Task ElectAsync(int partition, LeaderEpoch epoch, IPartitionReader reader, IPartitionWriter writer)
    {
        var election = new Election(epoch, new(new ShardPorts<ShareStateShard>(
            new TopicPartition(TopicName, partition).ToString(),
            () => new ShareStateShard(options, ports.Topics, ports.Logger), reader, writer, ports.Time, new ShardLimits(), ports.Logger)));
        if (!TryReplace(partition, election, out var former))
            return;
        if (former is not null)
            await former.Runtime.DisposeAsync();
        await election.Runtime.LoadAsync();
    }

    /// <summary>Gives a partition up; a resignation from an earlier epoch than the present election's changes nothing.</summary>
    public async Task ResignAsync(int partition, LeaderEpoch? epoch = null)
    {
        Election? election;
        lock (_gate)
        {
            if (!_elections.TryGetValue(partition, out election) || epoch < election.Epoch)
                return;
            _elections.TryRemove(partition, out _);
        }
        await election.Runtime.DisposeAsync();
    }

    /// <summary>Gives all partitions up.</summary>
    public async Task CloseAsync()
    {
        foreach (var partition in _elections.Keys)
            await ResignAsync(partition);
    }

    private bool TryReplace(int partition, Election election, out Election? former)
    {
        lock (_gate)
        {
            if (_elections.TryGetValue(partition, out former) && election.Epoch < former.Epoch)
                return false;
            _elections[partition] = election;
            return true;
        }
    }

    private Task<T> RouteAsync<T>(
        SharePartitionKey key, Func<ShareStateShard, long, CoordinatorResult<T>> handler, Func<ErrorCode, T> refusal, CancellationToken cancellation)
        where T : class
    {
        if (key.Group.Length == 0 || IsTooLong(key.Group))
            return Task.FromResult(refusal(ErrorCode.InvalidRequest));
        if (!_elections.TryGetValue(PartitionFor(key, options.PartitionCount), out var election))
            return Task.FromResult(refusal(ErrorCode.NotCoordinator));
        return election.Runtime.RunAsync((shard, _, now) => handler(shard, now), error => refusal(CoordinatorErrors.ForGroups(error)))
            .WaitAsync(cancellation);
    }

    private bool IsTooLong(string group) => group.Length > options.MaxNameBytes / 3 && Encoding.UTF8.GetByteCount(group) > options.MaxNameBytes;
}

/// <summary>What a <see cref="ShareCoordinator"/> is given by the engine that runs it.</summary>
/// <param name="Time">The clock.</param>
/// <param name="Topics">Which topics exist.</param>
/// <param name="Logger">Where it is logged what became of states.</param>
public sealed record SharePorts(TimeProvider Time, ITopicDirectory Topics, ILogger Logger);
