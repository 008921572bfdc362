using Orleans.Concurrency;
using OrleansLog.Grains.Calls;
using OrleansLog.Protocol;

namespace OrleansLog.Grains;

/// <summary>
/// One broker, under its id, on its own silo: what the brokers ask of one another apart from appends, and any Kafka request
/// that is meant for this broker.
/// </summary>
public interface IBrokerGrain : IGrainWithIntegerKey
{
    /// <summary>Handles a request as the broker's Kafka endpoint would.</summary>
    /// <param name="request">A request frame without its length prefix: header and body.</param>
    /// <param name="cancellationToken">Nobody waits for the answer any more.</param>
    /// <returns>The response frame without its length prefix; empty for a request that has no answer.</returns>
    ValueTask<Payload> HandleAsync(Payload request, CancellationToken cancellationToken);

    /// <summary>Documents of the metadata register were changed.</summary>
    Task TellAsync(NewsCall[] news, CancellationToken cancellationToken);

    /// <summary>Takes a partition over if the broker is its preferred leader and in sync.</summary>
    Task LeadPreferredAsync(string topic, int partition);

    /// <summary>Where the broker's log of a partition ends; null if it has none that can be used.</summary>
    Task<LogEnd?> FindLogEndAsync(string topic, int partition);

    /// <summary>Takes a partition over that nobody leads, though committed records may be lost.</summary>
    Task<bool> LeadUncleanlyAsync(string topic, int partition);
}

/// <summary>One replica of one partition on one broker, under <c>topic/partition@broker</c>: takes its leader's appends.</summary>
public interface IFollowerGrain : IGrainWithStringKey
{
    ValueTask<AppendAnswer> AppendAsync(AppendCall call);
}

/// <summary>
/// The leader of one partition, under <c>topic/partition</c>. It says <see cref="ErrorCode.NotLeaderOrFollower"/> where the
/// leadership has moved on; the same call finds the new leader a little later.
/// </summary>
public interface IPartitionGrain : IGrainWithStringKey
{
    /// <summary>Appends record batches in Kafka's format, version 2.</summary>
    /// <param name="batches">Whole batches, back to back. Offsets are written into them.</param>
    /// <param name="acks">-1 for every in-sync replica, 1 for the leader alone.</param>
    /// <param name="timeoutMs">How long to wait for that.</param>
    ValueTask<AppendResult> AppendAsync(Payload batches, short acks = -1, int timeoutMs = 30_000);

    /// <summary>Reads committed records.</summary>
    ValueTask<FetchResult> FetchAsync(FetchCall call);

    /// <summary>The first offset whose timestamp is not before the one given; -1 for the end, -2 for the start, as in Kafka.</summary>
    ValueTask<OffsetResult> ListOffsetAsync(long timestampMs);

    /// <summary>Makes the records before an offset unreadable; -1 for all that are committed.</summary>
    ValueTask<OffsetResult> DeleteRecordsAsync(long before);
}

/// <summary>
/// The coordinator of the groups in one partition of <c>__consumer_offsets</c>, under that partition's index, beside its
/// leader.
/// </summary>
public interface IGroupCoordinatorGrain : IGrainWithIntegerKey
{
    /// <inheritdoc cref="IBrokerGrain.HandleAsync"/>
    ValueTask<Payload> HandleAsync(Payload request, CancellationToken cancellationToken);
}

/// <summary>
/// The coordinator of the transactions in one partition of <c>__transaction_state</c>, under that partition's index, beside its
/// leader.
/// </summary>
public interface ITransactionCoordinatorGrain : IGrainWithIntegerKey
{
    /// <inheritdoc cref="IBrokerGrain.HandleAsync"/>
    ValueTask<Payload> HandleAsync(Payload request, CancellationToken cancellationToken);
}

/// <summary>The controller, under 0: carries out what changes topics, for whichever broker was asked.</summary>
public interface IControllerGrain : IGrainWithIntegerKey
{
    /// <inheritdoc cref="IBrokerGrain.HandleAsync"/>
    ValueTask<Payload> HandleAsync(Payload request, CancellationToken cancellationToken);
}
