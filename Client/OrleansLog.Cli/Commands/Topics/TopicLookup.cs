using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>Finds topics by name, and says which one was probably meant where there is none.</summary>
internal static class TopicLookup
{
    /// <returns>Whether there is such a topic.</returns>
    public static async Task<bool> ExistsAsync(AdminClient admin, string topic, CancellationToken cancellationToken) =>
        (await admin.ListTopicsAsync(includeInternal: true, cancellationToken)).Any(t => t.Name == topic);

    /// <exception cref="CommandException">There is no such topic.</exception>
    public static async Task<TopicDescription> DescribeAsync(AdminClient admin, string topic, CancellationToken cancellationToken)
    {
        await RequireAsync(admin, [topic], cancellationToken);
        return await admin.DescribeTopicAsync(topic, cancellationToken);
    }

    /// <exception cref="CommandException">One of them does not exist.</exception>
    public static async Task RequireAsync(AdminClient admin, IEnumerable<string> topics, CancellationToken cancellationToken)
    {
        var known = (await admin.ListTopicsAsync(includeInternal: true, cancellationToken)).Select(t => t.Name).ToHashSet();
        foreach (var topic in topics)
            if (!known.Contains(topic)) throw Missing(topic, known);
    }

    /// <summary>The partitions that were asked for, or all.</summary>
    /// <exception cref="CommandException">The topic has fewer.</exception>
    public static TopicPartition[] Choose(TopicDescription topic, IReadOnlyCollection<int> asked)
    {
        foreach (var partition in asked)
            if (partition >= topic.Partitions.Count) throw NoPartition(topic, partition);
        var chosen = asked.Count > 0 ? asked.Distinct().Order() : topic.Partitions.Select(p => p.Partition);
        return [.. chosen.Select(p => new TopicPartition(topic.Name, p))];
    }

    private static CommandException Missing(string topic, IReadOnlyCollection<string> known) =>
        NearestName.Find(topic, known) is { } nearest
            ? new($"there is no topic '{topic}'; did you mean '{nearest}'?")
            : new($"there is no topic '{topic}'; create it with 'olog topics create {topic}'.");

    private static CommandException NoPartition(TopicDescription topic, int partition) => new(
        $"topic '{topic.Name}' has no partition {partition}: it has {topic.Partitions.Count}, numbered from 0.");
}
