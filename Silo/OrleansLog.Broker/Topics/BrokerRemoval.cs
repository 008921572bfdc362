using OrleansLog.Broker.Metadata;
using OrleansLog.Protocol;

namespace OrleansLog.Broker.Topics;

/// <summary>Forgets brokers that are gone for good and hold nothing any more.</summary>
/// <param name="topics">What is known of the cluster.</param>
public sealed class BrokerRemoval(TopicControl topics)
{
    /// <summary>
    /// Takes a broker out of the register. One that starts again is taken for a new broker, so it must hold no replica that
    /// anybody relies on.
    /// </summary>
    public async Task<(ErrorCode Error, string? Message)> UnregisterAsync(BrokerId broker, CancellationToken cancellationToken)
    {
        if (Refuse(broker, topics.Image) is { } refused)
            return refused;
        return await topics.ForgetBrokerAsync(broker, cancellationToken)
            ? (ErrorCode.None, null)
            : (ErrorCode.BrokerIdNotRegistered, $"There is no broker {broker}.");
    }

    internal static (ErrorCode, string)? Refuse(BrokerId broker, ClusterImage cluster)
    {
        if (cluster.FindBroker(broker) is not null)
            return (ErrorCode.InvalidRequest, $"Broker {broker} lives; stop it first.");
        var held = cluster.Topics.Values.Sum(topic => topic.Partitions.Count(record => record.Replicas.Contains(broker)));
        return held == 0
            ? null
            : (ErrorCode.InvalidRequest, $"Broker {broker} still has {held} {(held == 1 ? "replica" : "replicas")}; move them to others first.");
    }
}
