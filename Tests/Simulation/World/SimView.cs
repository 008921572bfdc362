using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Simulation.World;

/// <summary>What one broker believes of the others: told late, and sometimes wrong.</summary>
public sealed class SimView(SimCluster cluster) : IClusterView
{
    private readonly Dictionary<BrokerId, long> _epochs = [];
    private readonly HashSet<BrokerId> _suspected = [.. cluster.Brokers.Where(broker => !broker.IsRunning).Select(broker => broker.Id)];

    /// <summary>Told of every change of belief.</summary>
    public Action? Changed { get; set; }

    public bool IsAlive(BrokerId broker) => !_suspected.Contains(broker);

    public long EpochOf(BrokerId broker) => _epochs.GetValueOrDefault(broker);

    public void Suspect(BrokerId broker)
    {
        _suspected.Add(broker);
        Changed?.Invoke();
    }

    public void HearOf(BrokerId broker, long epoch)
    {
        _suspected.Remove(broker);
        _epochs[broker] = Math.Max(epoch, EpochOf(broker));
        Changed?.Invoke();
    }
}
