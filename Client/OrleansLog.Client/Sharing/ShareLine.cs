using OrleansLog.Client.Metadata;
using OrleansLog.Client.Transport;
using OrleansLog.Client.Waiting;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Sharing;

/// <summary>
/// A share session at one broker (KIP-932): what is fetched there, and what is to be said about records from there. One request
/// at a time; a session that the broker has forgotten begins anew, and what was to be said in it has failed. Any thread.
/// </summary>
internal sealed class ShareLine(Cluster cluster, ShareConsumerOptions options, string memberId, BrokerId broker)
{
    private const int CloseEpoch = -1;
    private const short RenewalVersion = 2;

    private readonly Lane _lane = Lane.Open();
    private readonly AsyncTurn _turn = new();
    private readonly PendingAcknowledgements _pending = new();
    private readonly HashSet<(Guid TopicId, int Partition)> _inSession = [];
    private int _epoch;

    public BrokerId Broker => broker;

    /// <summary>The fetch under way, if there is one.</summary>
    public Task<ShareFetchResponse?>? Fetching { get; set; }

    /// <summary>Whether the broker has a session of this member, or is to be told something.</summary>
    public bool IsInUse => _inSession.Count > 0 || !_pending.IsEmpty;

    public void Say(TopicPartition partition, long offset, ShareAcknowledgeType type) => _pending.Say(partition, offset, type);

    /// <summary>Says what is to be said, and fetches. Null where nothing came of it.</summary>
    /// <param name="wanted">What to fetch, by the ids of the topics.</param>
    public async Task<ShareFetchResponse?> FetchAsync(IReadOnlyCollection<TopicPartition> wanted, CancellationToken cancellationToken)
    {
        await _turn.EnterAsync(cancellationToken);
        var said = _epoch == 0 ? Fail(_pending.Take(), ErrorCode.ShareSessionNotFound) : _pending.Take();
        try
        {
            var request = FetchRequest(wanted, said);
            var response = await cluster.Transport.SendAsync(broker, _lane, request, cancellationToken, options.FetchWaitMsMax);
            Advance(response.ErrorCode);
            Report(said, response);
            return response.ErrorCode == ErrorCode.None ? response : throw Refused("fetch from", response.ErrorCode, response.ErrorMessage);
        }
        catch (OrleansLogException e)
        {
            if (e.ErrorCode is ErrorCode.NetworkException or ErrorCode.RequestTimedOut) Forget();
            Fail(said, e.ErrorCode);
            throw;
        }
        finally
        {
            _turn.Leave();
        }
    }

    /// <summary>Says what is to be said; <paramref name="isLast"/> ends the session.</summary>
    public async Task<List<ShareAcknowledged>> AcknowledgeAsync(bool isLast, CancellationToken cancellationToken)
    {
        await _turn.EnterAsync(cancellationToken);
        try
        {
            var said = _pending.Take();
            return said.Count == 0 && !(isLast && _epoch > 0) ? [] : await SayAsync(said, isLast, isRenewal: false, cancellationToken);
        }
        finally
        {
            if (isLast) cluster.Transport.CloseLane(_lane);
            _turn.Leave();
        }
    }

    public async Task RenewAsync(TopicPartition partition, Offset offset, CancellationToken cancellationToken)
    {
        await _turn.EnterAsync(cancellationToken);
        try
        {
            var said = new Dictionary<TopicPartition, SortedDictionary<long, ShareAcknowledgeType>> { [partition] = new() { [offset.Value] = ShareAcknowledgeType.Renew } };
            var outcome = (await SayAsync(said, isLast: false, isRenewal: true, cancellationToken))[0].Error;
            if (outcome != ErrorCode.None) throw Refused($"renew the lock of offset {offset} of {partition} at", outcome, null);
        }
        finally
        {
            _turn.Leave();
        }
    }

    private async Task<List<ShareAcknowledged>> SayAsync(
        Dictionary<TopicPartition, SortedDictionary<long, ShareAcknowledgeType>> said, bool isLast, bool isRenewal, CancellationToken cancellationToken)
    {
        if (_epoch == 0) return Outcomes(said, _ => ErrorCode.ShareSessionNotFound);
        var request = new ShareAcknowledgeRequest
        {
            GroupId = options.GroupId,
            MemberId = memberId,
            ShareSessionEpoch = isLast ? CloseEpoch : _epoch,
            IsRenewAck = isRenewal,
            Topics = [.. said.GroupBy(each => IdOf(each.Key.Topic)).Select(topic => new ShareAcknowledgeRequest.AcknowledgeTopic
            {
                TopicId = topic.Key,
                Partitions = [.. topic.Select(each => new ShareAcknowledgeRequest.AcknowledgePartition
                {
                    PartitionIndex = each.Key.Partition, AcknowledgementBatches = PendingAcknowledgements.ToBatches(each.Value),
                })],
            })],
        };
        try
        {
            var response = await cluster.Transport.SendAsync(broker, _lane, request, cancellationToken, versionMin: isRenewal ? RenewalVersion : (short)0);
            Advance(isLast ? ErrorCode.ShareSessionNotFound : response.ErrorCode);
            var errors = response.Responses.SelectMany(topic => topic.Partitions, (topic, part) => (topic.TopicId, part)).ToDictionary(
                each => (each.TopicId, each.part.PartitionIndex), each => each.part.ErrorCode);
            return Outcomes(said, partition => response.ErrorCode != ErrorCode.None
                ? response.ErrorCode
                : errors.GetValueOrDefault((IdOf(partition.Topic), partition.Partition), ErrorCode.UnknownServerError));
        }
        catch (OrleansLogException e)
        {
            if (e.ErrorCode is ErrorCode.NetworkException or ErrorCode.RequestTimedOut) Forget();
            return Outcomes(said, _ => e.ErrorCode);
        }
    }

    private ShareFetchRequest FetchRequest(
        IReadOnlyCollection<TopicPartition> wanted, Dictionary<TopicPartition, SortedDictionary<long, ShareAcknowledgeType>> said)
    {
        var ids = wanted.Select(partition => (IdOf(partition.Topic), partition.Partition)).ToHashSet();
        var forgotten = _inSession.Except(ids).ToList();
        var named = ids.Except(_inSession).ToDictionary(id => id, _ => new List<ShareAcknowledgementBatch>());
        foreach (var (partition, offsets) in said) named[(IdOf(partition.Topic), partition.Partition)] = PendingAcknowledgements.ToBatches(offsets);
        foreach (var id in forgotten) _inSession.Remove(id);
        _inSession.UnionWith(ids);
        return new()
        {
            GroupId = options.GroupId,
            MemberId = memberId,
            ShareSessionEpoch = _epoch,
            MaxWaitMs = options.FetchWaitMsMax,
            MinBytes = 1,
            MaxBytes = options.FetchBytesMax,
            MaxRecords = options.RecordsMax,
            BatchSize = options.RecordsMax,
            ShareAcquireMode = (sbyte)(options.IsStrict ? 1 : 0),
            Topics = [.. named.GroupBy(each => each.Key.Item1).Select(topic => new ShareFetchRequest.FetchTopic
            {
                TopicId = topic.Key,
                Partitions = [.. topic.Select(each => new ShareFetchRequest.FetchPartition { PartitionIndex = each.Key.Item2, AcknowledgementBatches = each.Value })],
            })],
            ForgottenTopicsData = [.. forgotten.GroupBy(each => each.Item1).Select(topic => new ShareFetchRequest.ForgottenTopic
            {
                TopicId = topic.Key, Partitions = [.. topic.Select(each => each.Partition)],
            })],
        };
    }

    private void Advance(ErrorCode error)
    {
        if (error == ErrorCode.None) _epoch = _epoch == int.MaxValue ? 1 : _epoch + 1;
        else Forget();
    }

    private void Forget()
    {
        _epoch = 0;
        _inSession.Clear();
    }

    private void Report(Dictionary<TopicPartition, SortedDictionary<long, ShareAcknowledgeType>> said, ShareFetchResponse response)
    {
        if (said.Count == 0 || response.ErrorCode != ErrorCode.None) return;
        var errors = response.Responses.SelectMany(topic => topic.Partitions, (topic, part) => (topic.TopicId, part)).ToDictionary(
            each => (each.TopicId, each.part.PartitionIndex), each => each.part.AcknowledgeErrorCode);
        Outcomes(said, partition => errors.GetValueOrDefault((IdOf(partition.Topic), partition.Partition)));
    }

    private Dictionary<TopicPartition, SortedDictionary<long, ShareAcknowledgeType>> Fail(
        Dictionary<TopicPartition, SortedDictionary<long, ShareAcknowledgeType>> said, ErrorCode error)
    {
        Outcomes(said, _ => error);
        return [];
    }

    private List<ShareAcknowledged> Outcomes(Dictionary<TopicPartition, SortedDictionary<long, ShareAcknowledgeType>> said, Func<TopicPartition, ErrorCode> errorOf)
    {
        var outcomes = said.Select(each => new ShareAcknowledged(each.Key, [.. each.Value.Keys.Select(offset => new Offset(offset))], errorOf(each.Key))).ToList();
        if (options.Acknowledged is { } told) outcomes.ForEach(told);
        return outcomes;
    }

    private Guid IdOf(string topic) => cluster.Metadata.View.Topics.TryGetValue(topic, out var view) ? view.Id : Guid.Empty;

    private OrleansLogException Refused(string what, ErrorCode error, string? message) =>
        new(error, $"Could not {what} broker {broker} for share group '{options.GroupId}': {message ?? error.ToString()}.");
}
