using OrleansLog.Coordination.Runtime;

namespace OrleansLog.Coordination.Records;

/// <summary>An offset that counts once the transaction of its producer is committed.</summary>
internal sealed class PendingOffsetRecord(long producerId, OffsetCommitRecord commit) : StateRecord
{
    public long ProducerId => producerId;

    public OffsetCommitRecord Commit => commit;

    public override CoordinatorRecord Encode() => commit.Encode();
}

/// <summary>A transaction has ended. It lies in the partition as a marker, not as a record.</summary>
internal sealed class TransactionEndRecord(long producerId, bool isCommit) : StateRecord
{
    public long ProducerId => producerId;

    public bool IsCommit => isCommit;

    public override CoordinatorRecord Encode() => default;
}
