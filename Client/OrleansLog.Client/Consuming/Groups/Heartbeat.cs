using Microsoft.Extensions.Logging;
using OrleansLog.Client.Metadata;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Consuming;

/// <summary>
/// Tells the coordinator at intervals that a member lives, and watches that its application does: one that asks for
/// nothing for too long leaves the group.
/// </summary>
internal sealed class Heartbeat(Cluster cluster, ConsumerOptions options, GroupCoordinator coordinator, Membership membership) : IDisposable
{
    private CancellationTokenSource? _running;
    private long _polledAt;
    private long _matchedAt;

    public void NotePoll() => Volatile.Write(ref _polledAt, cluster.Time.GetTimestamp());

    public void Start()
    {
        Stop();
        NotePoll();
        _matchedAt = cluster.Time.GetTimestamp();
        _running = new CancellationTokenSource();
        _ = BeatAsync(_running.Token);
    }

    public void Stop() => Interlocked.Exchange(ref _running, null)?.Cancel();

    public void Dispose() => Stop();

    private async Task BeatAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(options.HeartbeatIntervalMs), cluster.Time, cancellationToken);
                if (IsApplicationGone())
                {
                    await LeaveAsync();
                    return;
                }
                await BeatOnceAsync(cancellationToken);
                if (membership.MissesTopics) cluster.Metadata.RefreshBehind();
                else cluster.Metadata.RefreshIfOld();
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    // As often as metadata is refreshed.
    private async Task MatchIfDueAsync(CancellationToken cancellationToken)
    {
        if (cluster.Time.GetElapsedTime(_matchedAt).TotalMilliseconds < cluster.Options.MetadataAgeMsMax) return;
        _matchedAt = cluster.Time.GetTimestamp();
        await membership.MatchTopicsAsync(cancellationToken);
    }

    private bool IsApplicationGone() =>
        !membership.IsReaderWaiting && cluster.Time.GetElapsedTime(Volatile.Read(ref _polledAt)).TotalMilliseconds > options.PollIntervalMsMax;

    private async Task LeaveAsync()
    {
        cluster.Logger.LogWarning("The application has not asked for a record of group '{Group}' for {Limit} ms, so that its partitions go to others. Process faster, or raise PollIntervalMsMax.", options.GroupId, options.PollIntervalMsMax);
        try
        {
            await membership.GiveUpAsync("the application reads no more");
        }
        catch (OrleansLogException e)
        {
            cluster.Logger.LogDebug(e, "Group '{Group}' was not told that this member left.", options.GroupId);
        }
    }

    private async Task BeatOnceAsync(CancellationToken cancellationToken)
    {
        var member = membership.Member;
        var request = new HeartbeatRequest
        {
            GroupId = coordinator.GroupId,
            GenerationId = member.Generation,
            MemberId = member.Id,
            GroupInstanceId = member.InstanceId,
        };
        try
        {
            var response = await coordinator.SendOnceAsync(request, response => response.ErrorCode, 0, cancellationToken);
            membership.Hear(member, response.ErrorCode);
            await MatchIfDueAsync(cancellationToken);
        }
        catch (OrleansLogException e)
        {
            cluster.Logger.LogDebug(e, "A heartbeat to group '{Group}' failed; the next one follows.", options.GroupId);
        }
    }
}
