using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>Stops a reading once every partition that is read has reached the offset where it ended at first.</summary>
internal sealed class EndOfReading(IReadOnlyDictionary<TopicPartition, Offset> ends, CancellationTokenSource stop)
{
    private readonly HashSet<TopicPartition> _open = [];

    /// <summary>Where a partition ended; one that was added since had no records then.</summary>
    public Offset Of(TopicPartition partition) => ends.GetValueOrDefault(partition);

    /// <summary>These partitions are read from these offsets.</summary>
    public void Begin(IEnumerable<KeyValuePair<TopicPartition, Offset>> starts)
    {
        foreach (var (partition, start) in starts)
            if (start < Of(partition)) _open.Add(partition);
        StopIfDone();
    }

    /// <summary>These partitions are read by others from now on.</summary>
    public void Abandon(IEnumerable<TopicPartition> partitions) => _open.ExceptWith(partitions);

    /// <summary>A partition was read up to this offset.</summary>
    public void Handled(Consumer consumer, TopicPartition partition, Offset next)
    {
        if (next < Of(partition)) return;
        consumer.Pause(partition);
        _open.Remove(partition);
        StopIfDone();
    }

    private void StopIfDone()
    {
        if (_open.Count == 0) stop.Cancel();
    }
}
