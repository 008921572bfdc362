using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>Begins moves of partitions, and watches them to their end.</summary>
internal static class Moves
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Begins them, and names each that could not begin.</summary>
    /// <returns>Those that began.</returns>
    public static async Task<IReadOnlyList<TopicPartition>> BeginAsync(
        Session session, AdminClient admin, IReadOnlyDictionary<TopicPartition, IReadOnlyList<BrokerId>?> moves, CancellationToken cancellationToken)
    {
        if (moves.Count == 0) return [];
        var results = await admin.AlterPartitionReassignmentsAsync(moves, allowReplicationFactorChange: true, cancellationToken);
        foreach (var failed in results.Where(result => result.Error != ErrorCode.None))
            session.Error.WriteLine($"olog: could not move {failed.Partition}: {(failed.Message ?? failed.Error.ToString()).TrimEnd('.')}.");
        return [.. results.Where(result => result.Error == ErrorCode.None).Select(result => result.Partition)];
    }

    /// <summary>Begins moves, says so, and waits for them if asked to.</summary>
    /// <returns>The exit code: failure if one could not begin.</returns>
    public static async Task<int> RunAsync(
        Session session, AdminClient admin, IReadOnlyDictionary<TopicPartition, IReadOnlyList<BrokerId>?> moves, bool wait, CancellationToken cancellationToken)
    {
        var begun = await BeginAsync(session, admin, moves, cancellationToken);
        if (begun.Count > 0 && wait)
        {
            await WatchAsync(session, admin, begun, cancellationToken);
            session.Out.WriteLine($"Moved {Units.Counted(begun.Count, "partition")}.");
        }
        else if (begun.Count > 0)
        {
            session.Out.WriteLine($"{Units.Counted(begun.Count, "partition")} began to move; 'olog topics reassignments' shows how far they are.");
        }
        return begun.Count == moves.Count ? ExitCode.Success : ExitCode.Failure;
    }

    /// <summary>
    /// Shows how many partitions are left and how much of them is copied, until none is. Breaking off the wait breaks
    /// off no move.
    /// </summary>
    public static async Task WatchAsync(
        Session session, AdminClient admin, IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken)
    {
        using var line = new StatusLine(session.Terminal);
        while (true)
        {
            var moving = await admin.ListPartitionReassignmentsAsync(partitions, cancellationToken);
            if (moving.Count == 0) break;
            var sizes = await MoveSizes.OfClusterAsync(admin, cancellationToken);
            line.Show($"{Units.Counted(moving.Count, "partition")} of {Units.Count(partitions.Count)} left to move{sizes?.Describe(moving)}");
            await Task.Delay(LookInterval, session.Terminal.Time, cancellationToken);
        }
        // Another broker may take a moment to hear of the end, and would be asked next.
        await Task.Delay(LookInterval, session.Terminal.Time, cancellationToken);
    }
}
