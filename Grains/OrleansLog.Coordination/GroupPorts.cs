using Microsoft.Extensions.Logging;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination;

/// <summary>What a <see cref="GroupCoordinator"/> is given by the engine that runs it.</summary>
/// <param name="Time">The clock: wall time for what is stored, timers for sessions and rebalances.</param>
/// <param name="Topics">Which topics exist.</param>
/// <param name="NewId">Makes the unique part of member ids. Called within turns, of several shards at once.</param>
/// <param name="Logger">Where group events are logged.</param>
public sealed record GroupPorts(TimeProvider Time, ITopicDirectory Topics, Func<Guid> NewId, ILogger Logger)
{
    /// <summary>Where the states of share groups are kept; without it there are no share groups.</summary>
    public IShareStates? ShareStates { get; init; }

    /// <summary>
    /// What a group has set of its own, as far as is known at the moment; null where it is served as <see cref="GroupOptions"/> say.
    /// Called within turns: must not wait.
    /// </summary>
    public Func<string, GroupTimings?> TimingsOf { get; init; } = _ => null;

    /// <summary>Where a partition ends by now, wherever it is led; null where that is not known.</summary>
    public Func<TopicPartition, CancellationToken, Task<Offset?>> FindEndAsync { get; init; } = (_, _) => Task.FromResult<Offset?>(null);
}
