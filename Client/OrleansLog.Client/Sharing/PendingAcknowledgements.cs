using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Sharing;

/// <summary>What is to be said about records, by partition. Any thread.</summary>
internal sealed class PendingAcknowledgements
{
    private readonly Lock _gate = new();
    private Dictionary<TopicPartition, SortedDictionary<long, ShareAcknowledgeType>> _said = [];

    public bool IsEmpty
    {
        get
        {
            lock (_gate) return _said.Count == 0;
        }
    }

    public void Say(TopicPartition partition, long offset, ShareAcknowledgeType type)
    {
        lock (_gate)
        {
            if (!_said.TryGetValue(partition, out var offsets)) _said.Add(partition, offsets = []);
            offsets[offset] = type;
        }
    }

    /// <summary>Takes all of it.</summary>
    public Dictionary<TopicPartition, SortedDictionary<long, ShareAcknowledgeType>> Take()
    {
        lock (_gate)
        {
            var taken = _said;
            _said = [];
            return taken;
        }
    }

    /// <summary>Ranges of neighbours of which the same is said.</summary>
    public static List<ShareAcknowledgementBatch> ToBatches(SortedDictionary<long, ShareAcknowledgeType> said)
    {
        var batches = new List<ShareAcknowledgementBatch>();
        foreach (var (offset, type) in said)
        {
            if (batches.Count > 0 && batches[^1] is var last && last.LastOffset == offset - 1 && last.AcknowledgeTypes[0] == (sbyte)type) last.LastOffset = offset;
            else batches.Add(new() { FirstOffset = offset, LastOffset = offset, AcknowledgeTypes = [(sbyte)type] });
        }
        return batches;
    }
}
