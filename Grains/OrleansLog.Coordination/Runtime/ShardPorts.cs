using Microsoft.Extensions.Logging;

namespace OrleansLog.Coordination.Runtime;

/// <summary>What a <see cref="ShardRuntime{T}"/> works with.</summary>
/// <param name="Name">The partition's name, for logs.</param>
/// <param name="NewShard">Makes an empty shard.</param>
internal sealed record ShardPorts<TShard>(
    string Name,
    Func<TShard> NewShard,
    IPartitionReader Reader,
    IPartitionWriter Writer,
    TimeProvider Time,
    ShardLimits Limits,
    ILogger Logger);

/// <summary>How much a shard takes on at a time.</summary>
/// <param name="MaxQueuedRequests">The most requests that may wait for their turn; more are told to try again.</param>
/// <param name="MaxRequestsPerTurn">The most requests decided in one turn, and so behind one append.</param>
internal sealed record ShardLimits(int MaxQueuedRequests = 100_000, int MaxRequestsPerTurn = 1_000);
