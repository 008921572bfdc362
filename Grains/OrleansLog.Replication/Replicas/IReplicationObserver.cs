using OrleansLog.Protocol;
using OrleansLog.Replication.Messages;

namespace OrleansLog.Replication.Replicas;

/// <summary>Told what replicas do: for metrics, and for the simulator's checkers. Calls are short and in the replica's turn.</summary>
public interface IReplicationObserver
{
    /// <summary>Records were appended, as leader or follower; the log ends at <paramref name="end"/> now.</summary>
    void Appended(PartitionReplica replica, Offset from, Offset end)
    {
    }

    /// <summary>The log was cut to end at <paramref name="end"/>.</summary>
    void Truncated(PartitionReplica replica, Offset end)
    {
    }

    /// <summary>The log was dropped; it starts, and ends, at <paramref name="start"/> now.</summary>
    void Restarted(PartitionReplica replica, Offset start)
    {
    }

    /// <summary>Everything below is committed, as this replica knows now.</summary>
    void HighWatermarkMoved(PartitionReplica replica, Offset highWatermark)
    {
    }

    /// <summary>A leadership began.</summary>
    void Led(PartitionReplica replica, LeaderEpoch epoch)
    {
    }

    /// <summary>A leadership ended.</summary>
    void SteppedDown(PartitionReplica replica, LeaderEpoch epoch)
    {
    }

    /// <summary>An append was answered.</summary>
    void Answered(PartitionReplica replica, AppendRequest request, AppendReply reply)
    {
    }

    /// <summary>The replica found a broken promise; see <see cref="Following.DivergedReplicaException"/>.</summary>
    void Diverged(PartitionReplica replica, Exception reason)
    {
    }

    /// <summary>The replica's disk failed it; it leaves the in-sync set and is repaired.</summary>
    void Failed(PartitionReplica replica, Exception? reason)
    {
    }
}
