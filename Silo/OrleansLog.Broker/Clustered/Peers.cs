using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Metadata;
using OrleansLog.Protocol;
using OrleansLog.Replication.Brokers;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Metadata;
using OrleansLog.Replication.Replicas;

namespace OrleansLog.Broker.Clustered;

/// <summary>The other living brokers: the way to them, and what they are told of changes made here. Any thread.</summary>
internal sealed class Peers(Func<BrokerId, IBrokerPeer> find, TimeProvider time, ILogger logger) : IReplicationChannel
{
    private readonly Lock _gate = new();
    private Dictionary<BrokerId, PeerOutbox> _outboxes = [];

    public IBrokerPeer this[BrokerId broker] => find(broker);

    public ValueTask<AppendReply> AppendAsync(BrokerId to, AppendRequest request, CancellationToken cancellationToken) =>
        find(to).AppendAsync(request, cancellationToken);

    /// <summary>A broker is there, or back in another life.</summary>
    public void Joined(BrokerId broker) => Change(outboxes => outboxes[broker] = new PeerOutbox(broker, find(broker), time, logger), broker);

    public void Left(BrokerId broker) => Change(static _ => { }, broker);

    /// <summary>Tells every other broker of a partition's record.</summary>
    public void Tell(TopicPartition partition, PartitionRecord record)
    {
        var outboxes = Volatile.Read(ref _outboxes);
        if (outboxes.Count == 0)
            return;
        var news = new RegisterNews(PartitionRecord.KeyOf(partition), record.Serialize());
        foreach (var outbox in outboxes.Values)
            outbox.Post(news, record.PartitionEpoch);
    }

    /// <summary>Tells every other broker to look at a topic.</summary>
    public void TellOfTopic(string name)
    {
        foreach (var outbox in Volatile.Read(ref _outboxes).Values)
            outbox.Post(new RegisterNews(TopicRecord.KeyOf(name), default));
    }

    /// <summary>Tells one broker all that this one has to say: it may have missed some.</summary>
    public void TellAll(BrokerId to, IEnumerable<string> topics, IEnumerable<(TopicPartition Id, PartitionRecord Record)> records)
    {
        if (!Volatile.Read(ref _outboxes).TryGetValue(to, out var outbox))
            return;
        foreach (var name in topics)
            outbox.Post(new RegisterNews(TopicRecord.KeyOf(name), default));
        foreach (var (id, record) in records)
            outbox.Post(new RegisterNews(PartitionRecord.KeyOf(id), record.Serialize()), record.PartitionEpoch);
    }

    /// <summary>Completes when every living broker has acted on what was told, or the time is over.</summary>
    public async Task DeliveredAsync(TimeSpan timeMax)
    {
        try
        {
            await Task.WhenAll(Volatile.Read(ref _outboxes).Values.Select(outbox => outbox.DeliveredAsync())).WaitAsync(timeMax, time);
        }
        catch (TimeoutException)
        {
            logger.LogWarning("Not every broker has followed a change of topics within {Time}; they are told again until they do", timeMax);
        }
    }

    /// <summary>Nobody is told anything any more.</summary>
    public void Close()
    {
        lock (_gate)
        {
            foreach (var outbox in _outboxes.Values)
                outbox.Dispose();
            _outboxes = [];
        }
    }

    private void Change(Action<Dictionary<BrokerId, PeerOutbox>> change, BrokerId broker)
    {
        lock (_gate)
        {
            var outboxes = new Dictionary<BrokerId, PeerOutbox>(_outboxes);
            if (outboxes.Remove(broker, out var former))
                former.Dispose();
            change(outboxes);
            Volatile.Write(ref _outboxes, outboxes);
        }
    }
}
