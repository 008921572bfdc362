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
    GroupOptions Options,
    ILogger Logger);
