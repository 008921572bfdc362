using OrleansLog.Protocol;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation.Checking;

/// <summary>Everything that was ever committed, as the first leader that committed it had it. It never changes.</summary>
public sealed class Ledger
{
    private readonly List<BatchId> _batches = [];

    public IReadOnlyList<BatchId> Batches => _batches;

    public Offset End => _batches.Count == 0 ? Offset.Zero : _batches[^1].Next;

    public void Add(BatchId batch) => _batches.Add(batch);
}
