using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Shares;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Kafka.Connections;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Kafka.Apis;

/// <summary>
/// ShareFetch, versions 1 and 2 (KIP-932): takes what a member says about earlier records, has it acquire others, and waits
/// for some as long as the member allows. Batches are not read into memory: the response carries slices of segment files.
/// </summary>
internal sealed class ShareFetchApi(Broker.Broker broker)
{
    private const int RecordsWhereNotSaid = 500;
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(5);

    private readonly ShareAcknowledgements _acknowledgements = new(broker);

    private Sharing Sharing => broker.Sharing;

    public ValueTask<ResponseFrame?> HandleAsync(RequestContext context, ref WireReader body) => AnswerAsync(context, body.Read<ShareFetchRequest>());

    private async ValueTask<ResponseFrame?> AnswerAsync(RequestContext context, ShareFetchRequest request)
    {
        var asked = ShareRequest.Of(request);
        if ((asked.Refuse() ?? Refuse(request, asked)) is { } refused)
            return ShareFetchAnswer.Refuse(context.Header, refused.Error, refused.Message);
        ShareSettings settings;
        try
        {
            settings = await Sharing.FindSettingsAsync(asked.Member.Group, context.Closed);
        }
        catch (IOException)
        {
            return ShareFetchAnswer.Refuse(context.Header, ErrorCode.CoordinatorNotAvailable, "The configuration of the group cannot be read.");
        }
        var error = EnterSession(context, request, asked, out var session);
        return error == ErrorCode.None
            ? await AnswerAsync(context, request, asked, session!, settings)
            : ShareFetchAnswer.Refuse(context.Header, error, null);
    }

    private async ValueTask<ResponseFrame?> AnswerAsync(RequestContext context, ShareFetchRequest request, ShareRequest asked, ShareSession session, ShareSettings settings)
    {
        var answer = new ShareFetchAnswer(_acknowledgements, settings.RecordLockDurationMs, request.BatchSize) { SaysAll = asked.SessionEpoch == 0 };
        foreach (var (partition, error) in await _acknowledgements.TakeAsync(asked, settings))
            answer.Acknowledged(partition, error);
        if (asked.SessionEpoch == ShareRequest.CloseEpoch)
            Sharing.Sessions.End(session);
        else if (!request.IsRenewAck)
            await FetchAsync(context, request, session, settings, answer);
        return answer.Encode(context.Header);
    }

    // Time that is spent waiting would be lost for the locks that are renewed.
    private static (ErrorCode, string)? Refuse(ShareFetchRequest request, ShareRequest asked) =>
        asked is { SessionEpoch: 0, Acknowledges: true } ? (ErrorCode.InvalidRequest, "A session that begins has nothing to acknowledge.")
        : request.IsRenewAck && (request.MaxBytes != 0 || request.MinBytes != 0 || request.MaxRecords != 0 || request.MaxWaitMs != 0)
            ? (ErrorCode.InvalidRequest, "A request with renewals fetches nothing.")
            : null;

    private ErrorCode EnterSession(RequestContext context, ShareFetchRequest request, ShareRequest asked, out ShareSession? session)
    {
        if (asked.SessionEpoch == ShareRequest.CloseEpoch)
        {
            session = Sharing.Sessions.Find(asked.Member);
            return session is null ? ErrorCode.ShareSessionNotFound : ErrorCode.None;
        }
        SessionPartition[] named = [.. asked.Partitions.Select(each => each.Partition)];
        if (asked.SessionEpoch == 0)
            return Sharing.Sessions.Begin(asked.Member, named, context.Closed, out session);
        SessionPartition[] forgotten = [.. request.ForgottenTopicsData.SelectMany(topic => topic.Partitions, (topic, index) => new SessionPartition(topic.TopicId, index))];
        return Sharing.Sessions.Continue(asked.Member, asked.SessionEpoch, named, forgotten, out session);
    }

    private async Task FetchAsync(RequestContext context, ShareFetchRequest request, ShareSession session, ShareSettings settings, ShareFetchAnswer answer)
    {
        var open = await OpenAsync(session, settings, answer);
        var started = broker.Time.GetTimestamp();
        var patience = TimeSpan.FromMilliseconds(Math.Clamp(request.MaxWaitMs, 0, WaitMax.TotalMilliseconds));
        while (!Look(request, session, open, answer))
        {
            var left = patience - broker.Time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero || await WaitForNewsAsync(request, session, open, answer, left, context.Closed))
                return;
            context.Closed.ThrowIfCancellationRequested();
        }
    }

    private async Task<List<(SessionPartition Id, SharedPartition Shared)>> OpenAsync(ShareSession session, ShareSettings settings, ShareFetchAnswer answer)
    {
        var open = new List<(SessionPartition, SharedPartition)>();
        // Side by side: one whose state cannot be read just now holds the others up no longer than it has to.
        var opening = Sharing.Sessions.PartitionsOf(session)
            .Select(id => (Id: id, Opened: Sharing.OpenAsync(new(session.Owner.Group, id.TopicId, id.Partition), settings).AsTask())).ToList();
        foreach (var (id, opened) in opening)
        {
            var (error, shared) = await opened;
            if (shared is null)
                answer.Failed(id, _acknowledgements.WhyNot(id, error));
            else
                open.Add((id, shared));
        }
        return open;
    }

    /// <summary>Has the member acquire what there is now; true when that is enough, or when an error should not wait.</summary>
    private bool Look(ShareFetchRequest request, ShareSession session, List<(SessionPartition Id, SharedPartition Shared)> open, ShareFetchAnswer answer)
    {
        // A session that is over has nobody any more to acknowledge what it gets.
        if (Sharing.Sessions.Find(session.Owner) != session)
            return true;
        var recordsMax = request.MaxRecords > 0 ? request.MaxRecords : RecordsWhereNotSaid;
        var bytesMax = Math.Min(request.MaxBytes, broker.Config.FetchBytesMax);
        foreach (var (id, shared) in open)
        {
            var (bytesLeft, recordsLeft) = (bytesMax - answer.Bytes, recordsMax - answer.Records);
            if ((bytesLeft <= 0 && answer.Records > 0) || recordsLeft <= 0)
                break;
            var read = shared.Acquire(session.Owner.Member, (int)Math.Max(bytesLeft, 1), new((int)recordsLeft, IsStrict: request.ShareAcquireMode == 1));
            answer.Acquired(id, read with { Error = _acknowledgements.WhyNot(id, read.Error) });
        }
        return answer.Records > 0 || answer.HasErrors;
    }

    /// <summary>Waits until a partition has news or the time is over; true when there is something to answer with.</summary>
    private async ValueTask<bool> WaitForNewsAsync(
        ShareFetchRequest request, ShareSession session, List<(SessionPartition Id, SharedPartition Shared)> open, ShareFetchAnswer answer, TimeSpan timeout,
        CancellationToken closed)
    {
        var wait = new FetchWait();
        foreach (var (_, shared) in open)
            shared.Add(wait);
        try
        {
            if (Look(request, session, open, answer))
                return true;
            await using var timer = broker.Time.CreateTimer(static wait => ((FetchWait)wait!).Wake(), wait, timeout, Timeout.InfiniteTimeSpan);
            await using var closing = closed.UnsafeRegister(static wait => ((FetchWait)wait!).Wake(), wait);
            await wait.Task;
            return Look(request, session, open, answer);
        }
        finally
        {
            foreach (var (_, shared) in open)
                shared.Remove(wait);
        }
    }
}
