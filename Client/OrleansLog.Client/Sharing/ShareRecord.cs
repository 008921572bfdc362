using OrleansLog.Client.Sharing;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client;

/// <summary>
/// A record that a share consumer has acquired: its own until it says what became of it, or until the lock ends. What is said
/// goes with the next fetch, or with <see cref="ShareConsumer{TKey, TValue}.CommitAsync"/>. The last that is said before counts.
/// </summary>
public sealed class ShareRecord<TKey, TValue>
{
    private readonly ShareLine _line;

    internal ShareRecord(ShareLine line, ConsumedRecord<TKey, TValue> record, int deliveryCount) => (_line, Record, DeliveryCount) = (line, record, deliveryCount);

    /// <summary>The record.</summary>
    public ConsumedRecord<TKey, TValue> Record { get; }

    /// <summary>How often it has been delivered, this time included.</summary>
    public int DeliveryCount { get; }

    public TKey? Key => Record.Key;

    public TValue? Value => Record.Value;

    public TopicPartition TopicPartition => Record.TopicPartition;

    public Offset Offset => Record.Offset;

    internal bool IsSaid { get; private set; }

    /// <summary>It was handled.</summary>
    public void Accept() => Say(ShareAcknowledgeType.Accept);

    /// <summary>It could not be handled now: somebody, perhaps this member, gets it again.</summary>
    public void Release() => Say(ShareAcknowledgeType.Release);

    /// <summary>It can never be handled: nobody gets it again.</summary>
    public void Reject() => Say(ShareAcknowledgeType.Reject);

    /// <summary>Handling it takes longer: its lock begins anew now (KIP-1222, brokers from Kafka 4.2 on).</summary>
    /// <exception cref="OrleansLogException">It is not this member's any more.</exception>
    public async ValueTask RenewAsync(CancellationToken cancellationToken = default) => await _line.RenewAsync(TopicPartition, Offset, cancellationToken);

    private void Say(ShareAcknowledgeType type)
    {
        IsSaid = true;
        _line.Say(TopicPartition, Offset.Value, type);
    }
}
