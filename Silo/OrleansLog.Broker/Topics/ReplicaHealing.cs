using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Metadata;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Broker.Topics;

/// <summary>
/// Restores the replication factor by itself: when a broker has been away for too long, its replicas are made anew on
/// others, those first that have the fewest left. One caller at a time.
/// </summary>
/// <param name="topics">Where the partitions are recorded.</param>
/// <param name="delay">How long a broker may be away (<c>replica.restore.delay.ms</c>).</param>
/// <param name="time">Counts that, from when an absence was first seen.</param>
/// <param name="logger">Told of what is moved.</param>
public sealed class ReplicaHealing(TopicControl topics, TimeSpan delay, TimeProvider time, ILogger<ReplicaHealing> logger)
{
    private static readonly TimeSpan IntervalMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan IntervalMax = TimeSpan.FromSeconds(10);

    private readonly ReplicaMoves _moves = new(topics);
    private readonly Dictionary<BrokerId, long> _awaySince = [];

    /// <summary>How many partitions may be on the move before no further ones are begun with.</summary>
    public int MovesAtOnceMax { get; init; } = 32;

    /// <summary>Whether this broker is the one that sees to it; asked at each look.</summary>
    public Func<bool> IsOn { get; init; } = static () => true;

    /// <summary>Looks again and again until it is cancelled. Who is away when it begins is away since then.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var interval = TimeSpan.FromTicks(Math.Clamp(delay.Ticks / 10, IntervalMin.Ticks, IntervalMax.Ticks));
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            do
                await TryCheckAsync(cancellationToken);
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException)
        {
            logger.LogDebug("Replicas are restored no more");
        }
    }

    /// <summary>Begins the moves that are due.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        var cluster = topics.Image;
        var gone = FindGone(cluster);
        if (gone.Count == 0 || !IsOn())
            return;
        var room = MovesAtOnceMax - PartitionsOf(cluster).Count(each => IsMoving(each.Record, cluster));
        var counts = PartitionsOf(cluster).SelectMany(each => TargetOf(each.Record)).CountBy(id => id).ToDictionary();
        foreach (var (id, _) in PartitionsOf(cluster).Where(each => Heal(each.Record) is not null).OrderBy(each => LivingOf(each.Record)).ToList())
        {
            if (room <= 0)
                return;
            if (await HealAsync(id))
                room--;
        }

        int LivingOf(PartitionRecord record) => record.Replicas.Count(broker => cluster.FindBroker(broker) is not null);

        async Task<bool> HealAsync(TopicPartition id)
        {
            ImmutableArray<BrokerId> target = [];
            var outcome = await _moves.BeginAsync(id, record => target = Heal(record) ?? [], cancellationToken);
            if (outcome.Error != ErrorCode.None)
                return false;
            foreach (var broker in target.Where(broker => cluster.FindPartition(id)?.Replicas.Contains(broker) == false))
                counts[broker] = counts.GetValueOrDefault(broker) + 1;
            logger.LogInformation(
                "{Partition} goes to {Target}: {Gone} away for more than {Delay}", id, string.Join(", ", target), string.Join(", ", gone), delay);
            return true;
        }

        // Without a leader nobody could fill the new replicas.
        ImmutableArray<BrokerId>? Heal(PartitionRecord record) => topics.Image.FindBroker(record.Leader) is null
            ? null
            : ReplicaPlacement.Heal(
                TargetOf(record), [.. topics.Image.Brokers.Select(broker => new PlaceableBroker(broker.Id, broker.Rack))], gone.Contains,
                // Who is about to go has a copy already.
                broker => record.Removing.Contains(broker) ? -1 : counts.GetValueOrDefault(broker));
    }

    private async Task TryCheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            await CheckAsync(cancellationToken);
        }
        catch (Exception failed) when (failed is IOException or InvalidDataException)
        {
            logger.LogError("Replicas could not be restored: {Reason}", failed.Message);
        }
    }

    private HashSet<BrokerId> FindGone(ClusterImage cluster)
    {
        var now = time.GetTimestamp();
        foreach (var back in _awaySince.Keys.Where(id => !cluster.Away.Any(broker => broker.Id == id)).ToList())
            _awaySince.Remove(back);
        foreach (var away in cluster.Away)
            _awaySince.TryAdd(away.Id, now);
        return [.. _awaySince.Where(away => time.GetElapsedTime(away.Value, now) >= delay).Select(away => away.Key)];
    }

    private static IEnumerable<(TopicPartition Id, PartitionRecord Record)> PartitionsOf(ClusterImage cluster) =>
        cluster.Topics.Values.SelectMany(topic => topic.Partitions.Select((record, index) => (new TopicPartition(topic.Name, index), record)));

    // A move that cannot go on takes up no room.
    private static bool IsMoving(PartitionRecord record, ClusterImage cluster) =>
        ReplicaMoves.IsMoving(record) && record.Adding.Append(record.Leader).All(id => cluster.FindBroker(id) is not null);

    private static ImmutableArray<BrokerId> TargetOf(PartitionRecord record) => [.. record.Replicas.Except(record.Removing)];
}
