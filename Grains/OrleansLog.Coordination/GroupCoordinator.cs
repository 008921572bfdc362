using System.Collections.Concurrent;
using System.Text;
using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination;

/// <summary>
/// The consumer groups that this broker coordinates: those whose partition of <c>__consumer_offsets</c> it leads.
/// The engine elects it for a partition and has it resign; requests are routed to the shard of their group. Requests
/// are answered with Kafka's error codes, and with <see cref="ErrorCode.NotCoordinator"/> for groups of other brokers;
/// nothing is answered before what it says is committed.
/// <para>
/// The byte fields of requests are copied where they are kept; those of answers belong to the coordinator and must not
/// be changed. Callable from any thread.
/// </para>
/// </summary>
public sealed partial class GroupCoordinator(GroupOptions options, GroupPorts ports)
{
    /// <summary>The internal topic that holds groups and their committed offsets.</summary>
    public const string TopicName = "__consumer_offsets";

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<int, Election> _elections = [];

    private sealed record Election(LeaderEpoch Epoch, ShardRuntime<GroupShard> Runtime);

    public GroupOptions Options => options;

    /// <summary>
    /// The partition of <see cref="TopicName"/> that holds the group: Java's <c>String.hashCode</c> made positive,
    /// modulo the number of partitions, as clients and tools compute it too.
    /// </summary>
    public int PartitionFor(string groupId) => PartitionFor(groupId, options.PartitionCount);

    /// <inheritdoc cref="PartitionFor(string)"/>
    public static int PartitionFor(string groupId, int partitionCount)
    {
        var hash = 0;
        foreach (var unit in groupId)
            hash = unchecked(31 * hash + unit);
        return (hash == int.MinValue ? 0 : Math.Abs(hash)) % partitionCount;
    }

    /// <summary>
    /// Takes over a partition that this broker has come to lead: reads it through, and serves its groups from then
    /// on. Until the returned task completes, requests are told to wait. An election with a lower epoch than an
    /// earlier one changes nothing. Throws what the reader throws; the partition then stays unserved until elected
    /// again.
    /// </summary>
    /// <param name="reader">Reads what the partition holds when it is called.</param>
    /// <param name="writer">Writes to the partition under this leadership only.</param>
    public async Task ElectAsync(int partition, LeaderEpoch epoch, IPartitionReader reader, IPartitionWriter writer)
    {
        var election = new Election(epoch, NewRuntime(partition, reader, writer));
        if (!TryReplace(partition, election, out var former))
            return;
        if (former is not null)
            await former.Runtime.DisposeAsync();
        await election.Runtime.LoadAsync();
    }

    /// <summary>
    /// Gives a partition up: everyone who waits is told to look for the new coordinator. A resignation from an
    /// earlier epoch than the present election's changes nothing; null resigns in any case.
    /// </summary>
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

    private ShardRuntime<GroupShard> NewRuntime(int partition, IPartitionReader reader, IPartitionWriter writer) =>
        new(new ShardPorts<GroupShard>(
            new TopicPartition(TopicName, partition).ToString(),
            () => new GroupShard(options, ports, BeginSettling), reader, writer, ports.Time, new(options.MaxQueuedRequests, options.MaxRequestsPerTurn), ports.Logger));

    /// <summary>Has the group's shard decide. The wait ends early when the caller is gone.</summary>
    private Task<T> RouteAsync<T>(
        CallContext context, string groupId,
        Func<GroupShard, PendingReply<T>, long, CoordinatorResult<T>> handler, Func<ErrorCode, T> refusal)
        where T : class
    {
        if (!_elections.TryGetValue(PartitionFor(groupId), out var election))
            return Task.FromResult(refusal(ErrorCode.NotCoordinator));
        var answer = election.Runtime.RunAsync(handler, refusal);
        return answer.IsCompleted ? answer : answer.WaitAsync(context.Cancellation);
    }

    private bool IsTooLong(string? name) =>
        name is not null && name.Length > options.MaxNameBytes / 3 && Encoding.UTF8.GetByteCount(name) > options.MaxNameBytes;
}
