using OrleansLog.Broker.Topics;
using OrleansLog.Protocol;
using OrleansLog.Simulation.Faults;
using OrleansLog.Storage;

namespace OrleansLog.Simulation.Coordinators;

/// <summary>A topic of the simulated cluster.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="PartitionCount">How many partitions it has.</param>
public sealed record SimTopic(string Name, int PartitionCount)
{
    /// <summary>What a pipeline reads and writes, from stage to stage.</summary>
    public const string Stages = "stages";

    /// <summary>The topics of a cluster with coordinators, but for the one whose partition is watched.</summary>
    public static IReadOnlyList<SimTopic> OfCoordinators { get; } =
        [new(Stages, 2), new(TopicName.ConsumerOffsets, 1), new(TopicName.TransactionState, 2)];

    public Guid Id { get; } = new(Name.Length, (short)PartitionCount, 0, new byte[8]);

    public IEnumerable<TopicPartition> Partitions => Enumerable.Range(0, PartitionCount).Select(index => new TopicPartition(Name, index));

    public bool IsOwn => TopicName.IsInternal(Name);

    public LogOptions Log(FaultProfile profile) => IsOwn ? profile.OwnLog : profile.Log;
}
