using OrleansLog.Protocol;

namespace OrleansLog.Client.Producing;

/// <summary>What is on its way to one broker, or about to be. Touched by the sender's pump alone.</summary>
internal sealed class BrokerLine(BrokerId broker)
{
    public BrokerId Broker => broker;

    public int RequestsInFlight { get; set; }

    /// <summary>The batches of the request that is being put together.</summary>
    public List<ProducerBatch> Batches { get; private set; } = [];

    public long Bytes { get; private set; }

    /// <summary>Partitions that wait until fewer requests are in flight.</summary>
    public Queue<PartitionQueue> Waiting { get; } = new();

    public void Add(ProducerBatch batch)
    {
        Batches.Add(batch);
        Bytes += batch.Bytes.Length;
    }

    public List<ProducerBatch> TakeBatches()
    {
        var taken = Batches;
        (Batches, Bytes) = ([], 0);
        return taken;
    }
}
