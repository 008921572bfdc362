using OrleansLog.Protocol;

namespace OrleansLog.Client.Consuming;

/// <summary>
/// How far one partition is read. The reader alone moves <see cref="Position"/> and <see cref="Processed"/> while it
/// holds a batch; everything else changes under the subscription's lock.
/// </summary>
internal sealed class PartitionState(TopicPartition partition)
{
    private long _position = -1;
    private long _processed = -1;
    private int _version;

    public TopicPartition Partition => partition;

    /// <summary>Changes whenever what was fetched before must not be handed out any more.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>The offset to hand out next; -1 while that is not decided.</summary>
    public long Position
    {
        get => Volatile.Read(ref _position);
        set => Volatile.Write(ref _position, value);
    }

    /// <summary>One past the last record that the application has finished with.</summary>
    public long Processed
    {
        get => Volatile.Read(ref _processed);
        set => Volatile.Write(ref _processed, value);
    }

    /// <summary>The offset to fetch next: ahead of <see cref="Position"/> by what is buffered.</summary>
    public long FetchOffset { get; set; } = -1;

    /// <summary>Where to begin, if that has to be asked for.</summary>
    public OffsetSpec? Reset { get; set; }

    /// <summary>Whether the group's committed offset decides where to begin.</summary>
    public bool NeedsCommitted { get; set; }

    public bool IsPaused { get; set; }

    /// <summary>Whether a fetch for it is under way.</summary>
    public bool IsFetching { get; set; }

    /// <summary>Bytes that were fetched and not read yet.</summary>
    public long BufferedBytes { get; set; }

    /// <summary>When it may be fetched again after a failure, on the consumer's clock.</summary>
    public long DelayedUntilMs { get; set; }

    public int Failures { get; set; }

    public long HighWatermark { get; set; } = -1;

    /// <summary>The leader epoch of the record that was read last (KIP-320).</summary>
    public LeaderEpoch LastEpoch { get; set; } = LeaderEpoch.None;

    /// <summary>The replica that the leader said to read from (KIP-392), or none.</summary>
    public BrokerId NearReplica { get; private set; } = BrokerId.None;

    /// <summary>When the leader is asked again which replica is near, on the consumer's clock.</summary>
    public long NearReplicaUntilMs { get; private set; }

    public bool HasPosition => Position >= 0;

    /// <summary>Reads from a near replica for a while (KIP-392).</summary>
    public void ReadNear(BrokerId replica, long untilMs) => (NearReplica, NearReplicaUntilMs) = (replica, untilMs);

    /// <summary>Goes back to the leader, which may name a near replica again.</summary>
    public void ReadFromLeader() => NearReplica = BrokerId.None;

    /// <summary>Begins anew at an offset: what is buffered or on its way is dropped.</summary>
    public void StartAt(Offset offset, LeaderEpoch lastEpoch)
    {
        Drop();
        (Position, Processed, FetchOffset, LastEpoch) = (offset.Value, offset.Value, offset.Value, lastEpoch);
        (Reset, NeedsCommitted) = (null, false);
    }

    /// <summary>Begins anew where <paramref name="reset"/> says, once that is known.</summary>
    public void StartAt(OffsetSpec reset)
    {
        Drop();
        (Position, FetchOffset, Reset, NeedsCommitted) = (-1, -1, reset, false);
    }

    /// <summary>Begins anew where the group left off, once that is known.</summary>
    public void StartAtCommitted()
    {
        Drop();
        (Position, FetchOffset, Reset, NeedsCommitted) = (-1, -1, null, true);
    }

    /// <summary>Forgets what is buffered or on its way; reading goes on at <see cref="Position"/>.</summary>
    public void Drop()
    {
        Volatile.Write(ref _version, _version + 1);
        (BufferedBytes, IsFetching, FetchOffset, DelayedUntilMs) = (0, false, Position, 0);
    }
}
