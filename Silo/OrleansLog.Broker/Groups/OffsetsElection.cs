using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Topics;
using OrleansLog.Coordination;
using OrleansLog.Protocol;

namespace OrleansLog.Broker.Groups;

/// <summary>Makes a broker the coordinator of the offsets partitions that it leads, for as long as it leads them.</summary>
internal sealed class OffsetsElection(GroupCoordinator groups, TimeProvider time, ILogger logger)
{
    /// <summary>The broker leads a partition. Takes it over in the background if it is one with offsets.</summary>
    public void Led(Partition partition, LeaderEpoch epoch)
    {
        if (partition.Id.Topic == TopicName.ConsumerOffsets)
            _ = TakeOverAsync(partition, epoch);
    }

    /// <summary>The broker leads the partition no more.</summary>
    public void SteppedDown(TopicPartition id, LeaderEpoch epoch)
    {
        if (id.Topic == TopicName.ConsumerOffsets)
            _ = groups.ResignAsync(id.Partition, epoch);
    }

    private async Task TakeOverAsync(Partition partition, LeaderEpoch epoch)
    {
        try
        {
            var records = new OffsetsPartition(partition, epoch, time);
            await groups.ElectAsync(partition.Id.Partition, epoch, records, records);
        }
        catch (Exception failed) when (failed is IOException or OperationCanceledException)
        {
            logger.LogError("The groups in {Partition} are not served by its leader of epoch {Epoch}: {Reason}", partition.Id, epoch, failed.Message);
        }
    }
}
