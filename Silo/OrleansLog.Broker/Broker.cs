using OrleansLog.Broker.Groups;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Restoring;
using OrleansLog.Broker.Shares;
using OrleansLog.Broker.Tiering;
using OrleansLog.Broker.Topics;
using OrleansLog.Broker.Transactions;
using OrleansLog.Coordination;
using OrleansLog.Coordination.Producers;
using OrleansLog.Coordination.ShareStates;
using OrleansLog.Coordination.Transactions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;
using OrleansLog.Replication.Brokers;

namespace OrleansLog.Broker;

/// <summary>
/// One broker, as an endpoint sees it: the partitions it leads, the groups it coordinates, and what it knows of and asks
/// from its cluster. Which engine stands behind the cluster does not show here. Thread-safe.
/// </summary>
public sealed class Broker(
    BrokerId id,
    PartitionStore store,
    TopicControl topics,
    GroupCoordinator groups,
    TransactionCoordinator transactions,
    TransactionVerification verification,
    ProducerIds producerIds,
    BrokerSettings settings,
    PauseGate gate,
    TimeProvider time) : ICoordinatorPeer
{
    private readonly PartitionMarkers _markers = new(store.Partitions, groups, id => WhyNotLed(topics.Image.FindTopic(id.Topic), id.Partition), time);

    public BrokerId Id => id;

    /// <summary>The limits this broker runs with.</summary>
    public BrokerSettings Config => settings;

    public TimeProvider Time => time;

    /// <summary>Holds requests up while the broker is paused.</summary>
    public PauseGate Gate => gate;

    /// <summary>Where the broker stands (<c>broker.rack</c>); null if it does not say.</summary>
    public string? Rack => Cluster.FindBroker(id)?.Rack;

    /// <summary>The partitions that this broker has a replica of.</summary>
    public PartitionTable Partitions => store.Partitions;

    /// <summary>Where their logs lie.</summary>
    public PartitionStore Store => store;

    /// <summary>The cluster at this moment. Take it once per request.</summary>
    public ClusterImage Cluster => topics.Image;

    /// <summary>Creates, changes and deletes topics.</summary>
    public TopicControl Topics => topics;

    /// <summary>
    /// What to answer about a partition that is not among <see cref="Partitions"/>: that it is led elsewhere, which has
    /// a client look for its leader, or that there is none.
    /// </summary>
    public ErrorCode WhyNotLed(TopicPartition partition) => WhyNotLed(Cluster.FindTopic(partition.Topic), partition.Partition);

    /// <inheritdoc cref="WhyNotLed(TopicPartition)"/>
    public ErrorCode WhyNotLed(Guid topicId, int partition) =>
        Cluster.FindTopic(topicId) is { } topic ? WhyNotLed(topic, partition) : ErrorCode.UnknownTopicId;

    /// <summary>The consumer groups whose partition of <c>__consumer_offsets</c> is led here.</summary>
    public GroupCoordinator Groups => groups;

    /// <summary>The transactional ids whose partition of <c>__transaction_state</c> is led here.</summary>
    public TransactionCoordinator Transactions => transactions;

    /// <summary>Asks coordinators about transactions that begin in partitions here.</summary>
    public TransactionVerification Verification => verification;

    /// <summary>The share-partitions whose state is in a partition of <c>__share_group_state</c> that is led here.</summary>
    public required ShareCoordinator ShareStates { get; init; }

    /// <summary>The share-partitions of the partitions that this broker leads.</summary>
    public required Sharing Sharing { get; init; }

    /// <summary>Keeps in the remote store what a cluster is restored from; null without a store.</summary>
    internal ClusterBackup? Backup { get; init; }

    /// <summary>Up to when the remote store knows what it is to know besides records; null without a store.</summary>
    public BackupStatus? BackupStatus => Backup?.Status;

    /// <summary>Brings a cluster that was lost back from the remote store; null without one.</summary>
    public ClusterRestore? Restore { get; init; }

    /// <summary>The ids that this broker gives to producers.</summary>
    public ProducerIds ProducerIds => producerIds;

    /// <summary>The topic that holds committed offsets, which is made when the first group looks for its coordinator.</summary>
    public ValueTask<TopicOutcome> EnsureOffsetsTopicAsync(CancellationToken cancellationToken) => EnsureAsync(OffsetsTopic.Topic, cancellationToken);

    /// <summary>The topic that holds transactions, which is made when the first producer looks for its coordinator.</summary>
    public ValueTask<TopicOutcome> EnsureTransactionTopicAsync(CancellationToken cancellationToken) => EnsureAsync(TransactionTopic.Topic, cancellationToken);

    /// <summary>The topic that holds the states of share groups, which is made when the first of them is.</summary>
    public ValueTask<TopicOutcome> EnsureShareStateTopicAsync(CancellationToken cancellationToken) => EnsureAsync(ShareStateTopic.Topic, cancellationToken);

    public Task<AddPartitionsToTxnResponse> AddPartitionsToTxnAsync(AddPartitionsToTxnRequest request, CancellationToken cancellationToken) =>
        transactions.AddPartitionsAsync(new CallContext("", "", Apis.Find(ApiKey.AddPartitionsToTxn)!.Value.Max, cancellationToken), request);

    public Task<WriteTxnMarkersResponse> WriteTxnMarkersAsync(WriteTxnMarkersRequest request, CancellationToken cancellationToken) =>
        _markers.WriteAsync(request).WaitAsync(cancellationToken);

    public Task<InitializeShareGroupStateResponse> InitializeShareStateAsync(InitializeShareGroupStateRequest request, CancellationToken cancellationToken) =>
        ShareStates.InitializeAsync(request, cancellationToken);

    public Task<ReadShareGroupStateResponse> ReadShareStateAsync(ReadShareGroupStateRequest request, CancellationToken cancellationToken) =>
        ShareStates.ReadAsync(request, cancellationToken);

    public Task<WriteShareGroupStateResponse> WriteShareStateAsync(WriteShareGroupStateRequest request, CancellationToken cancellationToken) =>
        ShareStates.WriteAsync(request, cancellationToken);

    public Task<DeleteShareGroupStateResponse> DeleteShareStateAsync(DeleteShareGroupStateRequest request, CancellationToken cancellationToken) =>
        ShareStates.DeleteAsync(request, cancellationToken);

    public Task<ReadShareGroupStateSummaryResponse> SummarizeShareStateAsync(ReadShareGroupStateSummaryRequest request, CancellationToken cancellationToken) =>
        ShareStates.SummarizeAsync(request, cancellationToken);

    /// <summary>Where partitions that are led here end; the request's timestamps do not matter.</summary>
    public Task<ListOffsetsResponse> ListOffsetsAsync(ListOffsetsRequest request, CancellationToken cancellationToken) =>
        Task.FromResult(PartitionEnds.Answer(Partitions, request));

    private static ErrorCode WhyNotLed(TopicImage? topic, int partition) =>
        topic is not null && (uint)partition < (uint)topic.Partitions.Length
            ? ErrorCode.NotLeaderOrFollower
            : ErrorCode.UnknownTopicOrPartition;

    private async ValueTask<TopicOutcome> EnsureAsync(CoordinatorTopic topic, CancellationToken cancellationToken)
    {
        if (Cluster.FindTopic(topic.Name) is { } existing)
            return TopicOutcome.Changed(existing);
        var outcome = await topics.CreateAsync(topic.Describe(topics.Defaults, Cluster.Brokers.Length), validateOnly: false, cancellationToken);
        // Somebody else may have been first.
        return Cluster.FindTopic(topic.Name) is { } created ? TopicOutcome.Changed(created) : outcome;
    }
}
