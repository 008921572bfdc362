using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>
/// Creates, describes, changes and deletes topics, configurations, groups and offsets. Any thread. Every call retries
/// what may pass (a moved controller, leader or coordinator) within <see cref="ClientOptions.OperationTimeoutMs"/>.
/// Calls on one item throw <see cref="OrleansLogException"/> when it fails; calls on several return a result for each.
/// </summary>
public sealed partial class AdminClient
{
    private static NotSupportedException Later() => new("This call is not there yet.");

    public Task CreateTopicAsync(NewTopic topic, CancellationToken cancellationToken = default) => throw Later();

    /// <summary>Creates topics, each on its own: one that fails does not stop the others.</summary>
    public Task<IReadOnlyList<ItemResult>> CreateTopicsAsync(
        IReadOnlyList<NewTopic> topics, bool validateOnly = false, CancellationToken cancellationToken = default) => throw Later();

    public Task DeleteTopicAsync(string topic, CancellationToken cancellationToken = default) => throw Later();

    public Task<IReadOnlyList<ItemResult>> DeleteTopicsAsync(
        IReadOnlyList<string> topics, CancellationToken cancellationToken = default) => throw Later();

    /// <summary>All topics by name; internal ones only if asked for.</summary>
    public Task<IReadOnlyList<TopicListing>> ListTopicsAsync(
        bool includeInternal = false, CancellationToken cancellationToken = default) => throw Later();

    public Task<TopicDescription> DescribeTopicAsync(string topic, CancellationToken cancellationToken = default) => throw Later();

    /// <summary>Grows a topic to <paramref name="totalCount"/> partitions. Keys then land elsewhere than before.</summary>
    public Task CreatePartitionsAsync(string topic, int totalCount, CancellationToken cancellationToken = default) => throw Later();

    public Task<IReadOnlyList<ConfigEntry>> DescribeConfigsAsync(
        ConfigResource resource, bool includeDocumentation = false, CancellationToken cancellationToken = default) => throw Later();

    /// <summary>Changes the entries that are named and no others (KIP-339).</summary>
    public Task AlterConfigsAsync(
        ConfigResource resource, IReadOnlyList<ConfigChange> changes, bool validateOnly = false, CancellationToken cancellationToken = default) => throw Later();

    public Task<ClusterDescription> DescribeClusterAsync(CancellationToken cancellationToken = default) => throw Later();

    /// <summary>The log directories of all brokers.</summary>
    public Task<IReadOnlyList<LogDirectory>> DescribeLogDirectoriesAsync(CancellationToken cancellationToken = default) => throw Later();

    /// <summary>Deletes all records before the given offsets; <see cref="Offset.None"/> means all there are.</summary>
    /// <returns>The new log start offset of each partition.</returns>
    public Task<IReadOnlyDictionary<TopicPartition, ListedOffset>> DeleteRecordsAsync(
        IReadOnlyDictionary<TopicPartition, Offset> before, CancellationToken cancellationToken = default) => throw Later();

    public Task<IReadOnlyList<GroupListing>> ListGroupsAsync(CancellationToken cancellationToken = default) => throw Later();

    public Task<GroupDescription> DescribeGroupAsync(string groupId, CancellationToken cancellationToken = default) => throw Later();

    /// <summary>Deletes groups that have no members, with their offsets.</summary>
    public Task<IReadOnlyList<ItemResult>> DeleteGroupsAsync(
        IReadOnlyList<string> groupIds, CancellationToken cancellationToken = default) => throw Later();

    /// <summary>What a group has committed, of all partitions or of those given. Partitions without a commit are left out.</summary>
    public Task<IReadOnlyList<TopicPartitionOffset>> ListGroupOffsetsAsync(
        string groupId, IReadOnlyCollection<TopicPartition>? partitions = null, CancellationToken cancellationToken = default) => throw Later();

    /// <summary>Sets the committed offsets of a group that has no members.</summary>
    public Task AlterGroupOffsetsAsync(
        string groupId, IReadOnlyCollection<TopicPartitionOffset> offsets, CancellationToken cancellationToken = default) => throw Later();

    /// <summary>Forgets the committed offsets of partitions that no member of the group subscribes to.</summary>
    public Task<IReadOnlyList<ItemResult>> DeleteGroupOffsetsAsync(
        string groupId, IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken = default) => throw Later();

    public Task<IReadOnlyDictionary<TopicPartition, ListedOffset>> ListOffsetsAsync(
        IReadOnlyDictionary<TopicPartition, OffsetSpec> partitions, CancellationToken cancellationToken = default) => throw Later();
}
