using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Partitions;

namespace OrleansLog.Broker.Tiering;

/// <summary>
/// How much waits on a broker's disk for the remote store. A store may be away for hours while writes go on; beyond a budget the
/// broker takes no more for topics that are kept there, before the disk is full and fails everybody. Any thread.
/// </summary>
/// <param name="bytesMax">The budget.</param>
/// <param name="logger">Told when it is used up, and when it is not any more.</param>
public sealed class RemoteBacklog(long bytesMax, ILogger<RemoteBacklog> logger)
{
    // It takes so much less again to go on, lest it stops and goes with every segment.
    private const double ResumeAt = 0.9;

    private string? _refusal;

    /// <summary>Why topics that are kept in remote storage take no records at the moment; null while they do.</summary>
    public string? Refusal => Volatile.Read(ref _refusal);

    /// <summary>Adds up what waits at the moment. One caller at a time.</summary>
    public void Measure(IEnumerable<Partition> partitions)
    {
        if (bytesMax == long.MaxValue)
            return;
        var bytes = partitions.Sum(partition => partition.Tier?.BacklogInBytes ?? 0);
        if (Refusal is null && bytes > bytesMax)
        {
            var refusal = $"{bytes} bytes wait for the remote store, more than remote.storage.backlog.max.bytes ({bytesMax}): "
                + "topics with remote.storage.enable take no records on this broker until the store takes some. Nothing is lost; see whether the store can be reached.";
            logger.LogError("{Refusal}", refusal);
            Volatile.Write(ref _refusal, refusal);
        }
        else if (Refusal is not null && bytes <= bytesMax * ResumeAt)
        {
            logger.LogWarning("{Bytes} bytes wait for the remote store: topics with remote.storage.enable take records again", bytes);
            Volatile.Write(ref _refusal, null);
        }
    }
}
