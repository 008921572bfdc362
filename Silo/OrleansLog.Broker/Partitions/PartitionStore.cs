using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Partitions;

/// <summary>
/// The logs of one broker: a directory for each partition, named <c>topic-partition</c>. Opening, deleting and closing
/// are asked for by topic control, one change at a time.
/// </summary>
public sealed class PartitionStore(ILogFileSystem files, string directory, TimeProvider time, ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger<Partition>();
    private readonly RecoveryBudget _recoveryBudget = new();

    /// <summary>The partitions that were opened.</summary>
    public PartitionTable Led { get; } = new();

    /// <summary>The directory that holds the partitions' directories.</summary>
    public string Directory => directory;

    /// <summary>The size of the volume that the directory is on and what is free there, in bytes.</summary>
    public (long Total, long Usable) Space()
    {
        var volume = new DriveInfo(Path.GetFullPath(directory));
        return (volume.TotalSize, volume.AvailableFreeSpace);
    }

    /// <summary>Opens a partition, recovering its log, and takes up its leadership.</summary>
    /// <exception cref="StorageException">The log cannot be opened.</exception>
    public async Task OpenAsync(Guid topicId, TopicPartition id, LeaderEpoch epoch, PartitionSettings settings)
    {
        if (Led.Find(id) is not null)
            return; // A change of the topic failed after this was opened, and is tried again.
        var log = await PartitionLog.OpenAsync(files, PathOf(id), settings.Log, time, loggers.CreateLogger<PartitionLog>(), _recoveryBudget);
        Led.Add(topicId, new Partition(id, epoch, log, settings, time, _logger));
    }

    /// <summary>Puts a topic's changed configuration in force.</summary>
    public void Configure(string topic, PartitionSettings settings)
    {
        foreach (var partition in Led.FindTopic(topic)?.Partitions ?? [])
            partition.Configure(settings);
    }

    /// <summary>Closes a topic's partitions, as far as they are open, and deletes their files.</summary>
    public async Task DeleteTopicAsync(string name, int partitionCount)
    {
        foreach (var partition in Led.RemoveTopic(name)?.Partitions ?? [])
            await partition.DisposeAsync();
        for (var index = 0; index < partitionCount; index++)
            files.DeleteDirectory(PathOf(new TopicPartition(name, index)));
        await files.FlushDirectoryAsync(directory);
    }

    /// <summary>Flushes and closes every log.</summary>
    public Task CloseAsync() => Task.WhenAll(Led.All.Select(partition => partition.DisposeAsync().AsTask()));

    private string PathOf(TopicPartition id) => Path.Combine(directory, id.ToString());
}
