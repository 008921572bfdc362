using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Partitions;
using OrleansLog.Protocol;

namespace OrleansLog.Broker.Groups;

/// <summary>Makes a broker the coordinator of the partitions of an internal topic that it leads, for as long as it leads them.</summary>
/// <param name="topic">The topic.</param>
/// <param name="electAsync">Takes a partition over.</param>
/// <param name="resignAsync">Gives it up.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Told of failures.</param>
internal sealed class CoordinatorElection(
    string topic, Func<int, LeaderEpoch, OffsetsPartition, Task> electAsync, Func<int, LeaderEpoch, Task> resignAsync, TimeProvider time, ILogger logger)
{
    /// <summary>The broker leads a partition. Takes it over in the background if it is one of the topic's.</summary>
    public void Led(Partition partition, LeaderEpoch epoch)
    {
        if (partition.Id.Topic == topic)
            _ = TakeOverAsync(partition, epoch);
    }

    /// <summary>The broker leads the partition no more.</summary>
    public void SteppedDown(TopicPartition id, LeaderEpoch epoch)
    {
        if (id.Topic == topic)
            _ = resignAsync(id.Partition, epoch);
    }

    private async Task TakeOverAsync(Partition partition, LeaderEpoch epoch)
    {
        try
        {
            await electAsync(partition.Id.Partition, epoch, new OffsetsPartition(partition, epoch, time));
        }
        catch (Exception failed) when (failed is IOException or OperationCanceledException)
        {
            logger.LogError("What {Partition} holds is not coordinated by its leader of epoch {Epoch}: {Reason}", partition.Id, epoch, failed.Message);
        }
    }
}
