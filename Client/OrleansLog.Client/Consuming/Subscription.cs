using OrleansLog.Protocol;

namespace OrleansLog.Client.Consuming;

/// <summary>The partitions of one consumer. Any thread.</summary>
internal sealed class Subscription
{
    private readonly Dictionary<TopicPartition, PartitionState> _states = [];

    /// <summary>Guards the states and the set of them; never held across an await or a call to the application.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The topics subscribed to; empty when partitions are assigned by hand.</summary>
    public IReadOnlyList<string> Topics { get; private set; } = [];

    /// <summary>The expression that the topics match, where they are subscribed to by one.</summary>
    public string? Pattern { get; private set; }

    public IRebalanceListener? Listener { get; private set; }

    public void Subscribe(IReadOnlyList<string> topics, IRebalanceListener? listener, string? pattern = null)
    {
        lock (Gate) (Topics, Listener, Pattern) = (topics, listener, pattern);
    }

    /// <summary>The topics that the expression matches now, where a member has to find out itself.</summary>
    public void Match(IReadOnlyList<string> topics)
    {
        lock (Gate) Topics = topics;
    }

    public List<TopicPartition> Partitions()
    {
        lock (Gate) return [.. _states.Keys];
    }

    /// <summary>Gives up all partitions that are not among these, and takes those that are new.</summary>
    /// <returns>The new ones.</returns>
    public List<PartitionState> Replace(IReadOnlyCollection<TopicPartition> partitions)
    {
        lock (Gate)
        {
            Remove(_states.Keys.Except(partitions).ToList());
            return [.. partitions.Where(partition => !_states.ContainsKey(partition)).Distinct().Select(Add)];
        }
    }

    public void Remove(IReadOnlyCollection<TopicPartition> partitions)
    {
        lock (Gate)
        {
            foreach (var partition in partitions)
            {
                if (_states.Remove(partition, out var state)) state.Drop();
            }
        }
    }

    public PartitionState? Find(TopicPartition partition)
    {
        lock (Gate) return _states.GetValueOrDefault(partition);
    }

    /// <exception cref="InvalidOperationException">The partition is not assigned.</exception>
    public PartitionState Get(TopicPartition partition) => Find(partition) ?? throw new InvalidOperationException(
        $"{partition} is not assigned to this consumer: Assign it, or wait until its group gives it.");

    public List<PartitionState> States()
    {
        lock (Gate) return [.. _states.Values];
    }

    /// <summary>Does something to states under the lock; to all if none are named.</summary>
    public void Change(IEnumerable<TopicPartition> partitions, Action<PartitionState> change)
    {
        var chosen = partitions.Select(Get).ToList();
        lock (Gate)
        {
            foreach (var state in chosen.Count > 0 ? chosen : [.. _states.Values]) change(state);
        }
    }

    private PartitionState Add(TopicPartition partition) => _states[partition] = new PartitionState(partition);
}
