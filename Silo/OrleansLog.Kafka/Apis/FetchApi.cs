using System.Runtime.InteropServices;
using OrleansLog.Broker.Partitions;
using OrleansLog.Kafka.Connections;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Kafka.Apis;

/// <summary>
/// Fetch, versions 4 to 17, by hand: batches are never read into memory here, the response carries slices of segment
/// files. Waits for <c>min.bytes</c> as long as the client allows. Fetch sessions (KIP-227) are refused as the protocol
/// provides: every answer says session 0, and a client that names another is told that it is gone.
/// </summary>
internal sealed class FetchApi(Broker.Broker broker)
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(5);

    public ValueTask<ResponseFrame?> HandleAsync(RequestContext context, ref WireReader body)
    {
        var plan = FetchPlan.Read(ref body, broker);
        if (CheckSession(plan) is var error && error != ErrorCode.None)
            return new(FetchAnswer.Refuse(context.Header, error));
        return Look(plan) ? new(FetchAnswer.Encode(context.Header, plan)) : WaitAsync(context, plan);
    }

    private static ErrorCode CheckSession(FetchPlan plan) =>
        plan.SessionId != 0 ? ErrorCode.FetchSessionIdNotFound
        : plan.SessionEpoch > 0 ? ErrorCode.InvalidFetchSessionEpoch
        : ErrorCode.None;

    private async ValueTask<ResponseFrame?> WaitAsync(RequestContext context, FetchPlan plan)
    {
        var started = broker.Time.GetTimestamp();
        var patience = Min(TimeSpan.FromMilliseconds(plan.WaitMsMax), WaitMax);
        while (true)
        {
            var left = patience - broker.Time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero || await WaitForNewsAsync(plan, left, context.Closed))
                return FetchAnswer.Encode(context.Header, plan);
            context.Closed.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Waits until a partition has news or the time is over; true when there is enough to answer with.</summary>
    private async ValueTask<bool> WaitForNewsAsync(FetchPlan plan, TimeSpan timeout, CancellationToken closed)
    {
        var wait = new FetchWait();
        foreach (var part in plan.Parts)
            part.Partition?.Add(wait);
        try
        {
            if (Look(plan))
                return true;
            await using var timer = broker.Time.CreateTimer(static wait => ((FetchWait)wait!).Wake(), wait, timeout, Timeout.InfiniteTimeSpan);
            await using var closing = closed.UnsafeRegister(static wait => ((FetchWait)wait!).Wake(), wait);
            await wait.Task;
            return Look(plan);
        }
        finally
        {
            foreach (var part in plan.Parts)
                part.Partition?.Remove(wait);
        }
    }

    /// <summary>Finds what can be read now; true when that is enough, or when an error should not wait.</summary>
    private bool Look(FetchPlan plan)
    {
        long found = 0;
        var failed = plan.Parts.Count == 0;
        var isFromStore = false;
        var bytesMax = Math.Min(plan.BytesMax, broker.Config.FetchBytesMax);
        foreach (ref var part in CollectionsMarshal.AsSpan(plan.Parts))
        {
            if (part.IsReadable)
            {
                var room = (int)Math.Clamp(bytesMax - found, 0, Math.Max(part.BytesMax, 0));
                part.Preferred = PreferredReplica(part, plan.Rack);
                if (part.Preferred == BrokerId.None)
                    part.Found = part.Partition!.Read(part.From, room, minOneBatch: found == 0, part.Known, mayFollow: plan.Rack.Length > 0, plan.StableOnly);
                found += part.Found.Log.Slice.Length;
                isFromStore |= part.Found.Log.Slice.Length > 0 && part.From < part.Partition!.Log.LogStartOffset;
            }
            failed |= !part.IsReadable || part.Found.Error != ErrorCode.None || part.Preferred != BrokerId.None;
        }
        // What comes from the store ends where a block does; the next one may take a while.
        return failed || isFromStore || found >= plan.BytesMin;
    }

    /// <summary>The living in-sync follower in the client's rack that has what it asks for, if this leader is in another rack.</summary>
    private BrokerId PreferredReplica(in FetchPlan.Part part, string rack)
    {
        if (rack.Length == 0 || !part.Partition!.IsLeader || broker.Rack == rack || part.From < part.Partition.Log.LogStartOffset)
            return BrokerId.None;
        var cluster = broker.Cluster;
        foreach (var member in cluster.FindPartition(part.Partition.Id)?.InSync ?? [])
        {
            if (cluster.FindBroker(member.Broker)?.Rack == rack && part.Partition.IsHeldBy(member.Broker, part.From))
                return member.Broker;
        }
        return BrokerId.None;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
