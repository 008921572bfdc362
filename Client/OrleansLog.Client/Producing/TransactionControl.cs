using Microsoft.Extensions.Logging;
using OrleansLog.Client.Metadata;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Producing;

/// <summary>
/// Where a transactional producer stands, and what it asks of its coordinator. Each transaction has an epoch of its own
/// (KIP-890): ending one brings the next. Any thread; one transaction at a time.
/// </summary>
internal sealed class TransactionControl(Cluster cluster, ProducerOptions options)
{
    private const short FirstVersionWithEpochs = 5;

    private readonly Lock _gate = new();
    private readonly GroupCoordinator _coordinator = new(cluster, options.TransactionalId!, Lane.Control, CoordinatorKind.Transaction);
    private ProducerIdentity _identity = ProducerIdentity.None;
    // Of the group whose offsets came last: mostly there is but one.
    private GroupCoordinator? _group;
    private Task<ProducerIdentity>? _identifying;
    private OrleansLogException? _failure;
    private OrleansLogException? _fatal;
    private bool _hasParts;

    public bool IsOpen { get; private set; }

    /// <summary>How many transactions were begun.</summary>
    public int Begun { get; private set; }

    /// <summary>Whether anything may be part of the open transaction.</summary>
    public bool HasParts => Volatile.Read(ref _hasParts);

    /// <summary>Why the open transaction cannot be committed any more; null while it can.</summary>
    public OrleansLogException? Failure => Volatile.Read(ref _fatal) ?? Volatile.Read(ref _failure);

    public void Begin()
    {
        lock (_gate)
        {
            if (_fatal is not null) throw Again(_fatal);
            if (IsOpen) throw new InvalidOperationException("The transaction before is not ended: commit, abort or dispose it.");
            (IsOpen, _hasParts, _failure) = (true, false, null);
            Begun++;
        }
    }

    /// <summary>Refuses what does not belong to a transaction, or to one that cannot be committed any more.</summary>
    public void CheckOpen()
    {
        if (!IsOpen) throw new InvalidOperationException("A producer with a transactional id writes within transactions: begin one.");
        if (Failure is { } failure) throw Again(failure);
    }

    /// <summary>Notes that the coordinator will know of the transaction.</summary>
    public void NotePart() => Volatile.Write(ref _hasParts, true);

    /// <summary>The transaction cannot be committed any more.</summary>
    public void Fail(OrleansLogException error) => Interlocked.CompareExchange(ref _failure, error, null);

    /// <summary>Forgets the transaction that has ended.</summary>
    public void Close()
    {
        lock (_gate) (IsOpen, _hasParts, _failure) = (false, false, null);
    }

    /// <summary>The name to write under; asks for it, and so takes over from the producer before, where that is not done.</summary>
    public async ValueTask<ProducerIdentity> IdentifyAsync(CancellationToken cancellationToken)
    {
        Task<ProducerIdentity> identifying;
        lock (_gate)
        {
            if (_identity != ProducerIdentity.None) return _identity;
            // Whoever asks twice fences itself: records and offsets may both be the first of a transaction.
            identifying = _identifying is null or { IsCompleted: true } ? _identifying = AskIdentityAsync() : _identifying;
        }
        return await identifying.WaitAsync(cancellationToken);
    }

    private async Task<ProducerIdentity> AskIdentityAsync()
    {
        await Task.Yield();
        var request = new InitProducerIdRequest { TransactionalId = options.TransactionalId, TransactionTimeoutMs = options.TransactionTimeoutMs };
        var response = await AskAsync("begin transactions as", request, answer => answer.ErrorCode, CancellationToken.None);
        if (response.ErrorCode != ErrorCode.None) throw Fatal(response.ErrorCode);
        return Become(new(response.ProducerId, response.ProducerEpoch));
    }

    private ProducerIdentity Become(ProducerIdentity identity)
    {
        lock (_gate) return _identity = identity;
    }

    /// <summary>Makes offsets of a consumer group part of the transaction.</summary>
    public async Task SendOffsetsAsync(
        IReadOnlyCollection<TopicPartitionOffset> positions, ConsumerGroupMetadata group, CancellationToken cancellationToken)
    {
        var identity = await IdentifyAsync(cancellationToken);
        var request = new TxnOffsetCommitRequest
        {
            TransactionalId = options.TransactionalId!,
            GroupId = group.GroupId,
            ProducerId = identity.ProducerId,
            ProducerEpoch = identity.Epoch,
            GenerationId = group.GenerationId,
            MemberId = group.MemberId,
            GroupInstanceId = group.GroupInstanceId,
            Topics = [.. positions.GroupBy(position => position.Partition.Topic).Select(ToTopic)],
        };
        if (_group?.GroupId != group.GroupId) _group = new GroupCoordinator(cluster, group.GroupId, Lane.Control);
        NotePart();
        var response = await _group.SendAsync("send offsets of", request, FirstErrorOf, cancellationToken, FirstVersionWithEpochs);
        var error = FirstErrorOf(response);
        if (error == ErrorCode.None) return;
        var refused = new OrleansLogException(error, $"Offsets of group '{group.GroupId}' were refused with {error}: {OffsetAdvice(error)}");
        Fail(refused);
        throw refused;
    }

    /// <summary>Ends the transaction; the identity from then on.</summary>
    public async Task<ProducerIdentity> EndAsync(bool isCommit, CancellationToken cancellationToken)
    {
        var request = new EndTxnRequest
        {
            TransactionalId = options.TransactionalId!,
            ProducerId = _identity.ProducerId,
            ProducerEpoch = _identity.Epoch,
            Committed = isCommit,
        };
        var response = await AskAsync(isCommit ? "commit the transaction of" : "abort the transaction of", request, answer => answer.ErrorCode, cancellationToken);
        if (response.ErrorCode is ErrorCode.ProducerFenced or ErrorCode.InvalidProducerIdMapping) throw Fatal(response.ErrorCode);
        if (response.ErrorCode != ErrorCode.None)
            throw new OrleansLogException(response.ErrorCode, $"The transaction of '{options.TransactionalId}' was not {(isCommit ? "committed" : "aborted")}: {response.ErrorCode}.");
        return Become(new(response.ProducerId, response.ProducerEpoch));
    }

    /// <summary>How the transaction ended is not known: the next one takes over from it, which aborts what is still open.</summary>
    public void ForgetIdentity() => Become(ProducerIdentity.None);

    // What another transaction of this producer is still in the way of is worth another try.
    private Task<TResponse> AskAsync<TResponse>(
        string what, Protocol.Wire.IRequest<TResponse> request, Func<TResponse, ErrorCode> errorOf, CancellationToken cancellationToken)
        where TResponse : class, Protocol.Wire.IResponse, new() =>
        cluster.RetryAsync($"{what} '{options.TransactionalId}'", async token =>
        {
            var response = await _coordinator.SendOnceAsync(request, errorOf, 0, token, FirstVersionWith(TResponse.Api));
            var error = errorOf(response);
            return error.IsRetriable() ? throw new OrleansLogException(error, $"the coordinator answers {error}.") : response;
        }, cancellationToken);

    private static short FirstVersionWith(Protocol.Wire.ApiKey api) => api == Protocol.Wire.ApiKey.EndTxn ? FirstVersionWithEpochs : (short)0;

    private OrleansLogException Fatal(ErrorCode error)
    {
        var fatal = new OrleansLogException(error, error is ErrorCode.ProducerFenced or ErrorCode.InvalidProducerEpoch
            ? $"Another producer has taken over the transactional id '{options.TransactionalId}': this one writes no more. Dispose of it, and give each running producer a transactional id of its own."
            : $"The transactional id '{options.TransactionalId}' is refused with {error}.");
        cluster.Logger.LogError("{Problem}", fatal.Message);
        Volatile.Write(ref _fatal, fatal);
        return fatal;
    }

    private static OrleansLogException Again(OrleansLogException failure) => new(failure.ErrorCode, failure.Message, failure);

    private static string OffsetAdvice(ErrorCode error) => error switch
    {
        ErrorCode.UnknownMemberId or ErrorCode.IllegalGeneration or ErrorCode.FencedInstanceId =>
            "its partitions went to others meanwhile. Abort the transaction; what it was made of is read again there.",
        _ => "abort the transaction.",
    };

    private static ErrorCode FirstErrorOf(TxnOffsetCommitResponse response) =>
        response.Topics.SelectMany(topic => topic.Partitions).Select(partition => partition.ErrorCode).FirstOrDefault(error => error != ErrorCode.None);

    private static TxnOffsetCommitRequest.TxnOffsetCommitRequestTopic ToTopic(IGrouping<string, TopicPartitionOffset> topic) => new()
    {
        Name = topic.Key,
        Partitions = [.. topic.Select(position => new TxnOffsetCommitRequest.TxnOffsetCommitRequestPartition
        {
            PartitionIndex = position.Partition.Partition,
            CommittedOffset = position.Offset.Value,
            CommittedLeaderEpoch = position.LeaderEpoch.Value,
            CommittedMetadata = position.Metadata,
        })],
    };
}
