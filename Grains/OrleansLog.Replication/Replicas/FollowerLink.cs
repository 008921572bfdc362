using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Replication.Leading;
using OrleansLog.Replication.Messages;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Replicas;

/// <summary>
/// Pushes one leader's log to one follower: one read at a time, several appends on their way. What is appended during one
/// read shares the next. Reads for a follower that is far behind happen apart from the turn of whoever appends.
/// </summary>
internal sealed class FollowerLink(Leadership leadership, FollowerProgress follower)
{
    private bool _isRunning;

    /// <summary>There may be something to send. Any thread.</summary>
    public void Wake()
    {
        if (TakePlan(isWake: true) is { } plan) _ = RunAsync(plan);
    }

    private async Task RunAsync(AppendPlan? next)
    {
        for (; next is { } plan; next = TakePlan(isWake: false))
        {
            if (plan.IsCatchUp && !await StandBackAsync(plan)) return;
            if (Read(plan) is not { } request)
            {
                Rest();
                return;
            }

            if (plan.IsCatchUp) leadership.Ports.CatchUp?.Return(plan.BytesMax - request.Records.Length, leadership.Replica.Options.CatchUpBytesPerSecond);
            leadership.Ask<object>(_ =>
            {
                follower.Sent(plan, EndOf(request), request.Records.Length);
                return null;
            });
            _ = SendAsync(plan, request);
        }
    }

    // Who appends at the tail goes first. False when the leadership has ended meanwhile.
    private async Task<bool> StandBackAsync(AppendPlan plan)
    {
        await Task.Yield();
        if (leadership.Ports.CatchUp is not { } throttle) return true;
        try
        {
            await throttle.WaitAsync(plan.BytesMax, leadership.Replica.Options.CatchUpBytesPerSecond, leadership.Ending);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private AppendPlan? TakePlan(bool isWake) => leadership.Ask<AppendPlan?>(nowMs =>
    {
        if (isWake && _isRunning) return null;
        var plan = leadership.State.NextSend(follower, nowMs);
        _isRunning = plan is not null;
        return plan;
    });

    // Records that were deleted meanwhile, or cannot be read: another attempt, after a pause, begins where the logs agree.
    private void Rest() => leadership.On(nowMs =>
    {
        _isRunning = false;
        return leadership.State.Unread(follower, nowMs);
    });

    private AppendRequest? Read(in AppendPlan plan)
    {
        var read = plan.BytesMax == 0 ? default : leadership.Log.Read(plan.From, plan.BytesMax, leadership.Log.LogEndOffset);
        try
        {
            if (read.Error == ErrorCode.None) return RequestOf(plan, read.Slice);
            leadership.Replica.OnReadFailed(read);
        }
        catch (IOException failed)
        {
            leadership.Replica.OnDiskFailed(failed);
        }

        return null;
    }

    private AppendRequest RequestOf(in AppendPlan plan, LogSlice slice)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(slice.Length).AsMemory(0, slice.Length);
        slice.Read(bytes.Span);
        // The log may start amid a batch. Of one that compaction has emptied any part will do.
        var isInBatch = RecordBatchHeader.TryRead(bytes.Span, out var first) == ErrorCode.None && first.BaseOffset < plan.From;
        if (isInBatch && first.RecordCount == 0)
        {
            EmptyBatch.Write(bytes.Span, plan.From, first.NextOffset, first.PartitionLeaderEpoch);
            isInBatch = false;
        }

        var record = leadership.State.Current.Record;
        return new AppendRequest
        {
            Partition = leadership.Replica.Id,
            TopicId = leadership.Replica.TopicId,
            Leader = leadership.Ports.Self.Id,
            LeaderEpoch = leadership.Epoch,
            UncleanEpoch = record.UncleanEpoch,
            From = isInBatch ? first.BaseOffset : plan.From,
            LogStartOffset = plan.LogStart,
            LogEndOffset = plan.LogEnd,
            PreviousEpoch = plan.PreviousEpoch,
            TombstonesGoneBefore = leadership.Log.TombstonesGoneBefore,
            HighWatermark = plan.HighWatermark,
            Records = bytes,
        };
    }

    private static Offset EndOf(AppendRequest request)
    {
        var end = request.From;
        foreach (var batch in new RecordBatchEnumerator(request.Records.Span)) end = batch.Header.NextOffset;
        return end;
    }

    private async Task SendAsync(AppendPlan plan, AppendRequest request)
    {
        var reply = await AskFollowerAsync(request);
        // Without an answer somebody may still be reading the bytes.
        if (reply is not null && MemoryMarshal.TryGetArray(request.Records, out var rented)) ArrayPool<byte>.Shared.Return(rented.Array!);
        leadership.On(nowMs => leadership.State.Replied(follower, plan, request.Records.Length, reply, nowMs));
    }

    private async Task<AppendReply?> AskFollowerAsync(AppendRequest request)
    {
        var timeout = TimeSpan.FromMilliseconds(leadership.Replica.Options.AppendTimeoutMs);
        using var deadline = new CancellationTokenSource(timeout, leadership.Ports.Time);
        using var ending = leadership.Ending.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), deadline);
        try
        {
            return await leadership.Ports.Channel.AppendAsync(follower.Broker, request, deadline.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            leadership.Ports.Logger.LogDebug(e, "{Partition}: no answer of broker {Broker} to the append at {From}", request.Partition, follower.Broker, request.From);
            return null;
        }
        catch (Exception e)
        {
            // Whatever it was: the append counts as lost, and is tried again.
            leadership.Ports.Logger.LogError(e, "{Partition}: an append to broker {Broker} failed unexpectedly", request.Partition, follower.Broker);
            return null;
        }
    }
}
