using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Tiering;
using OrleansLog.Protocol;
using OrleansLog.Replication.Brokers;
using OrleansLog.Replication.Replicas;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Partitions;

/// <summary>
/// The replicas of one broker in one life of it: a directory for each partition, named <c>topic-partition</c>. Different
/// partitions may be opened and deleted side by side; one partition is opened or deleted by one caller at a time.
/// </summary>
public sealed class PartitionStore(ILogFileSystem files, string directory, BrokerReplicas replicas, TimeProvider time, ILogger<Partition> logger, RemoteTier? remote = null)
{
    /// <summary>The partitions that were opened.</summary>
    public PartitionTable Partitions { get; } = new();

    /// <summary>The directory that holds the partitions' directories.</summary>
    public string Directory => directory;

    /// <summary>The size of the volume that the directory is on and what is free there, in bytes.</summary>
    public (long Total, long Usable) Space()
    {
        var volume = new DriveInfo(Path.GetFullPath(directory));
        return (volume.TotalSize, volume.AvailableFreeSpace);
    }

    /// <summary>Opens a replica, recovering its log. It follows at first. Nothing happens where it is open already.</summary>
    /// <exception cref="StorageException">The log cannot be opened.</exception>
    public async Task OpenAsync(Guid topicId, TopicPartition id, PartitionSettings settings)
    {
        if (Partitions.Find(id) is not null)
            return;
        var replica = await replicas.OpenAsync(new ReplicaDescription(id, topicId, id.ToString(), settings.Replication, settings.Log));
        if (settings.Tiering is not null && remote is null)
            logger.LogError("{Partition} is kept in remote storage, and this broker was started without: what is not on its disk cannot be read", id);
        Partitions.Add(topicId, new Partition(replica, settings, time, logger, remote));
    }

    /// <summary>Puts a topic's changed configuration in force.</summary>
    public void Configure(string topic, PartitionSettings settings)
    {
        foreach (var partition in Partitions.FindTopic(topic)?.Partitions ?? [])
            partition.Configure(settings);
    }

    /// <summary>Closes a replica, if it is open, and deletes its files.</summary>
    public async Task DeleteAsync(TopicPartition id)
    {
        if (Partitions.Find(id) is { } partition)
        {
            Partitions.Remove(partition);
            partition.WakeWaits();
            await CloseAsync(id);
        }
        files.DeleteDirectory(PathOf(id));
    }

    /// <summary>Forgets a topic whose partitions were deleted.</summary>
    public async Task ForgetTopicAsync(string name)
    {
        Partitions.RemoveTopic(name);
        await files.FlushDirectoryAsync(directory);
    }

    private async Task CloseAsync(TopicPartition id)
    {
        try
        {
            await replicas.CloseAsync(id);
        }
        catch (IOException failed)
        {
            logger.LogWarning("{Partition} could not be closed cleanly before its deletion: {Reason}", id, failed.Message);
        }
    }

    private string PathOf(TopicPartition id) => Path.Combine(directory, id.ToString());
}
