using OrleansLog.Coordination;
using OrleansLog.Protocol;

namespace OrleansLog.Simulation.Faults;

/// <summary>Coordinators answer when a record is in their own log, and not when it is committed.</summary>
public sealed class AnswersBeforeCommit : PlantedBug
{
    public override IPartitionWriter Plant(IPartitionWriter writer) => new HastyWriter(writer);

    private sealed class HastyWriter(IPartitionWriter writer) : IPartitionWriter
    {
        public int MaxBatchBytes => writer.MaxBatchBytes;

        public async ValueTask<PartitionAppend> AppendAsync(IReadOnlyList<CoordinatorRecord> records, TransactionWrite? transaction = null) =>
            await writer.AppendAsync(records, transaction) is { Error: ErrorCode.None } append ? append with { Committed = Task.FromResult(ErrorCode.None) } : PartitionAppend.Refused(ErrorCode.NotLeaderOrFollower);
    }
}

/// <summary>Coordinators take the positions of a transaction for committed as soon as they come.</summary>
public sealed class ForgetsThatPositionsArePending : PlantedBug
{
    public override IPartitionWriter Plant(IPartitionWriter writer) => new PlainWriter(writer);

    private sealed class PlainWriter(IPartitionWriter writer) : IPartitionWriter
    {
        public int MaxBatchBytes => writer.MaxBatchBytes;

        public ValueTask<PartitionAppend> AppendAsync(IReadOnlyList<CoordinatorRecord> records, TransactionWrite? transaction = null) =>
            writer.AppendAsync(records, transaction is { Marker: null } ? null : transaction);
    }
}
