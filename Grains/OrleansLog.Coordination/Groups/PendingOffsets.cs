using OrleansLog.Coordination.Records;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Groups;

/// <summary>Offsets in transactions that have not ended. Durable: changes in replay only.</summary>
internal sealed class PendingOffsets
{
    private readonly Dictionary<long, List<OffsetCommitRecord>> _byProducer = [];

    /// <summary>How many open transactions would change the offset of a partition.</summary>
    private readonly Dictionary<(string Group, TopicPartition Partition), int> _counts = [];

    /// <summary>Whether a transaction may still change an offset.</summary>
    public bool Has(string group, TopicPartition partition) => _counts.ContainsKey((group, partition));

    public void Add(long producerId, OffsetCommitRecord commit)
    {
        if (!_byProducer.TryGetValue(producerId, out var commits))
            _byProducer.Add(producerId, commits = []);
        commits.Add(commit);
        Count(commit, 1);
    }

    /// <summary>Takes back the last <see cref="Add"/>.</summary>
    public void RemoveLast(long producerId)
    {
        var commits = _byProducer[producerId];
        Count(commits[^1], -1);
        commits.RemoveAt(commits.Count - 1);
        if (commits.Count == 0)
            _byProducer.Remove(producerId);
    }

    /// <summary>Takes out what a transaction brought, in order.</summary>
    public List<OffsetCommitRecord> Take(long producerId)
    {
        if (!_byProducer.Remove(producerId, out var commits))
            return [];
        foreach (var commit in commits)
            Count(commit, -1);
        return commits;
    }

    private void Count(OffsetCommitRecord commit, int change)
    {
        var key = (commit.Group, commit.Partition);
        var count = _counts.GetValueOrDefault(key) + change;
        if (count == 0)
            _counts.Remove(key);
        else
            _counts[key] = count;
    }
}
